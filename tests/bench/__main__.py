"""Print seconds and ratios: `lab check 02` beside the plain commands, `lab watch` from save to answer."""

import json
import subprocess
import sys
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

from grader.answers import Kitchen, find_answer
from grader.manifest import Lab, find_course, find_lab
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


def lab_02() -> None:
    """Solve lab 02 in a folder of its own and measure on it."""
    lab = find_lab(find_course(Path(__file__)), "02")
    with TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
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
    "lab-02": lab_02,
    "warm": warm.measure,
    "notebooks": notebooks.measure,
    "many": many.measure,
    "container": containers.measure,
}

if __name__ == "__main__":
    page.main(PARTS)
