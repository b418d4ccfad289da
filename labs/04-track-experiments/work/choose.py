"""Choose by the rule in rule.toml, and write the winner's id to choice.toml."""

# task: choose

import tomllib
from pathlib import Path

import pandas as pd


def choose(runs: pd.DataFrame, margin: float) -> str:
    """The winner's `run_id`.

    Args:
        runs: as `mlflow.search_runs` gives them. Of use: `run_id`, `status`, `params.leaves`, `params.rate`,
            `params.seed` (texts, all three) and `metrics.valid_mae`.
        margin: minutes, from rule.toml.
    """
    raise NotImplementedError("Turn the four sentences of rule.toml into code.")


if __name__ == "__main__":
    import mlflow

    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    margin = tomllib.loads(Path("rule.toml").read_text())["margin_minutes"]
    chosen = choose(mlflow.search_runs(experiment_names=["promise"]), margin)
    Path("choice.toml").write_text(f'run_id = "{chosen}"\n')
    print(chosen)
