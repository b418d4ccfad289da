"""Register, build, deploy, roll back: `python release.py --help`.

A version goes from the registry to a bundle (`build`), and from there into `release.json` (`deploy`). The
service reads that file and the bundles, never the registry.
"""

# task: register-and-deploy

import argparse
import json
import os
import secrets
import shutil
import sys
from pathlib import Path
from typing import Any

MODEL = "promise"
RELEASE = Path("release.json")
BUNDLES = Path("bundles")


def register(run: str, alias: str) -> None:
    """Make the model of the run with this name the newest version of `promise`, and give it an alias."""
    import mlflow  # takes seconds, and only two of the commands need it

    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    raise NotImplementedError("Register the run's model, and set the alias.")


def build(alias: str) -> None:
    """Write the bundle of the version that an alias names now to `bundles/VERSION/`, once."""
    import mlflow
    import yaml

    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    version = mlflow.MlflowClient().get_model_version_by_alias(MODEL, alias)
    target = BUNDLES / str(version.version)
    if target.exists():
        sys.exit(f"{target} is there already, and a bundle never changes. Register another version.")
    files = Path(mlflow.artifacts.download_artifacts(f"models:/{MODEL}/{version.version}"))
    told = yaml.safe_load((files / "MLmodel").read_text())["metadata"]
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    # model.skops from `files`; bundle.json: version, run, and all that `told` holds
    part.rename(target)
    print(f"{target} is built.")


# task: swap
def deploy(version: str) -> None:
    """Serve a bundle; what was served until now becomes `previous`."""
    if not (BUNDLES / version / "bundle.json").is_file():
        sys.exit(f"There is no {BUNDLES / version}/bundle.json. `python release.py build ALIAS` writes it.")
    release = read()
    write(release | {"champion": version, "previous": release.get("champion"), "canary": None})


def rollback() -> None:
    """Serve what was served before: model, features, fields and fallback, as they belong together."""
    raise NotImplementedError("Swap champion and previous; no canary goes on after that.")


def canary(version: str, share: float) -> None:
    """Let a share of the customers have another version; 0 ends it."""
    release = read()
    old = release.get("canary") or {}
    salt = old["salt"] if old.get("version") == version else secrets.token_hex(8)
    found = {"version": version, "share": share, "salt": salt} if share else None
    write(release | {"canary": found})


def shadow(version: str) -> None:
    """Ask another version about each order, for the log alone; `none` ends it."""
    write(read() | {"shadow": None if version == "none" else version})


def read() -> dict[str, Any]:
    """What is served."""
    return dict(json.loads(RELEASE.read_text())) if RELEASE.is_file() else {}


def write(release: dict[str, Any]) -> None:
    """Change what is served, in one step: whoever reads the file finds the old one or the new one."""
    RELEASE.write_text(json.dumps(release, indent=2) + "\n")
    print(f"Served: {json.dumps(release)}")


def main() -> None:
    """Parse, call."""
    parser = argparse.ArgumentParser()
    acts = parser.add_subparsers(dest="act", required=True)
    words = {
        "register": ["run", "alias"],
        "build": ["alias"],
        "deploy": ["version"],
        "rollback": [],
        "canary": ["version", "share"],
        "shadow": ["version"],
    }
    for act, names in words.items():
        one = acts.add_parser(act, help=(globals()[act].__doc__ or "").splitlines()[0])
        for name in names:
            one.add_argument(name, type=float if name == "share" else str)
    told = vars(parser.parse_args())
    globals()[told.pop("act")](**told)


if __name__ == "__main__":
    main()
