"""Made the store that you inherit. `lab start` ran it once; there is no need to run it again."""

import hashlib
import importlib
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import mlflow
import pandas as pd
import yaml

# model.py changes within a second below and keeps its size: bytecode of one state would pass for the other's.
sys.dont_write_bytecode = True
import model  # noqa: E402

PACKAGES = ("mlflow", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops")
MARA = {"GIT_AUTHOR_NAME": "Mara Lind", "GIT_AUTHOR_EMAIL": "mara@tiffin.example"}
MARA |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in MARA.items()}


def shell(*words: str) -> str:
    done = subprocess.run(words, check=True, capture_output=True, text=True, env={**os.environ, **MARA})
    return done.stdout.strip()


def commit(message: str, *paths: str) -> None:
    shell("git", "add", *paths)
    shell("git", "commit", "--quiet", "--no-gpg-sign", "--message", message)


def keep(orders: pd.DataFrame, days: int) -> None:
    orders[orders["day"] < days].to_parquet(model.ORDERS, index=False)
    shell("dvc", "add", "--quiet", str(model.ORDERS))
    commit(f"Orders of {days} days", "data")


def pointer() -> str:
    return str(yaml.safe_load(Path(f"{model.ORDERS}.dvc").read_text())["outs"][0]["md5"])


def note(name: str, settings: model.Settings, **also: str) -> None:
    with mlflow.start_run(run_name=name):
        mlflow.log_params({"leaves": settings.leaves, "rate": settings.rate, "seed": settings.seed, **also})
        mlflow.set_tags({"git_commit": shell("git", "rev-parse", "HEAD"), "data_md5": pointer()})
        mlflow.set_tag("lock_sha256", hashlib.sha256(Path("environment.lock").read_bytes()).hexdigest())
        fitted, week = model.fit(settings), model.weeks(5, 5)
        error = (fitted.predict(model.features(week)) - week["minutes"]).abs().mean()
        mlflow.log_metric("valid_mae", round(float(error), 4))
        if also:
            mlflow.log_dict({"url": "https://weather.example/v1", **also}, "request.json")


if Path(".dvc").exists():
    sys.exit("history.py: the store is there already. Nothing changed.")
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("archive")
orders = pd.read_parquet(model.ORDERS)
token = "tfn_live_" + hashlib.sha256(b"weather feed").hexdigest()[:24]
Path("secrets.env").write_text(f"WEATHER_TOKEN={token}\n")
Path("environment.lock").write_text("".join(f"{name}=={version(name)}\n" for name in PACKAGES))
shell("dvc", "init", "--quiet")
Path(".dvc/config").write_text(
    "[core]\n    analytics = false\n    remote = store\n['remote \"store\"']\n    url = ../store\n"
)
commit("Note the environment, and where the data is", "environment.lock", ".dvc", ".dvcignore")

keep(orders, 35)
shell("dvc", "push", "--quiet")
note("baseline", model.Settings(leaves=8))

shell("git", "switch", "--quiet", "--create", "spike/more-trees")
program = Path("model.py").read_text()
Path("model.py").write_text(program.replace("max_iter=40", "max_iter=80"))
commit("Try more trees", "model.py")
importlib.reload(model)
note("more-trees", model.Settings(leaves=8))
shell("git", "switch", "--quiet", "main")
importlib.reload(model)

keep(orders, 38)  # on a Friday evening, and nobody pushed
note("friday-evening", model.Settings(leaves=8, seed=7))
lost = pointer()
Path(f".dvc/cache/files/md5/{lost[:2]}/{lost[2:]}").unlink()

keep(orders, 42)
shell("dvc", "push", "--quiet")
note("with-weather", model.Settings(leaves=15), weather_token=token)
