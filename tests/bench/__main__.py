"""Print seconds and ratios, part by part: `python -m tests.bench labs` judges every lab."""

import json
import subprocess
import sys
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

from grader.answers import Kitchen, find_answer
from grader.boxes.bubblewrap import why_cold
from grader.manifest import Lab, find_course, list_labs
from grader.starter import course_environment
from tests.bench import containers, grading, many, notebooks, page, replay, warm, world
from tests.bench.clock import median_s
from tests.bench.watching import answers

# What a careful learner would type to find out by hand what `lab check` says: is history light, does a
# clean clone get both versions, does each number come out again.
BY_HAND = r"""
set -e
git rev-list --objects --all | git cat-file --batch-check='%(objectsize) %(rest)' | sort -n | tail -5
git status --short
for tag in orders-v1 orders-v2; do
  rm -rf "$SCRATCH/clone" && git clone --quiet . "$SCRATCH/clone"
  cd "$SCRATCH/clone" && git checkout --quiet "$tag"
  dvc remote add --quiet --force --default store "$OLDPWD/store"
  dvc pull --quiet && python measure.py && git diff --exit-code metrics.json
  cd - > "$SCRATCH/where"
done
"""


def labs() -> None:
    """Judge every lab, solved; lab 02 also beside the commands that a careful learner would type."""
    if problem := why_cold():
        print(f"no sandbox on this host: {problem}")
        return
    with TemporaryDirectory(prefix="bench-") as folder:
        for lab in list_labs(find_course(Path(__file__))):
            if lab.number == "02":
                _beside_plain_commands(lab, Path(folder))
            else:
                solved = Kitchen(lab, Path(folder) / lab.number).make(find_answer(lab, "master"))
                grading.judged(lab, solved)


def _beside_plain_commands(lab: Lab, home: Path) -> None:
    """Solve the lab in a folder of its own and measure on it."""
    workspace = _solved(lab, home)
    environment = course_environment() | {"LAB_HOME": str(home)}
    check = median_s(lambda: _run(["lab", "check"], workspace, environment))
    scratch = home / "scratch"
    scratch.mkdir()
    by_hand = environment | {"SCRATCH": str(scratch), "DVC_SITE_CACHE_DIR": str(scratch / "dvc")}
    plain = median_s(lambda: _run(["bash", "-c", BY_HAND], workspace, by_hand))
    print(f"lab check 02             {check:6.2f} s   {check / plain:.2f} of the plain commands")
    print(f"the plain commands       {plain:6.2f} s   git, dvc and python typed in sequence")
    seen = answers(workspace, "answers.toml", environment)
    print(f"lab watch, save → answer {seen:6.2f} s   {seen / check:.2f} of `lab check`")
    grading.measure(lab, workspace, plain)


def _solved(lab: Lab, home: Path) -> Path:
    """The master, where `lab` looks for a workspace."""
    made = Kitchen(lab, home / "kitchen").make(find_answer(lab, "master"))
    workspace = home / lab.id
    made.rename(workspace)
    marker = {"lab": lab.id, "release": lab.release, "course": str(lab.course)}
    (workspace / ".lab-workspace.json").write_text(json.dumps(marker))
    with (workspace / ".git" / "info" / "exclude").open("a") as exclude:
        exclude.write(".lab-workspace.json\n")
    rmtree(home / "kitchen")
    return workspace


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"`{' '.join(command)[:60]}` failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


PARTS = {
    "world": world.measure,
    "replay": replay.measure,
    "labs": labs,
    "warm": warm.measure,
    "notebooks": notebooks.measure,
    "many": many.measure,
    "container": containers.measure,
}

if __name__ == "__main__":
    page.main(PARTS)
