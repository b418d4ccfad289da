"""A practice class: six submissions to a lab, as an LMS would give them.

    python docs/examples/practice.py FOLDER

Run in the full clone. Four are right and wrong answers of the lab, packed
as `lab submit` packs. One was cut off; one is by nobody knows whom.
"""

import sys
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from grader.answers import Kitchen, find_answer
from grader.manifest import Lab, find_course, find_lab
from grader.snapshot import take
from lab_env.submit import FORMAT, pack

LAB = "02-version-data"
ANSWERS = {
    "anna": ("master", ""),
    "ben": ("right", "annotated-tags"),
    "chen": ("wrong", "no-push"),
    "dora": ("wrong", "moved-tag"),
}


def main(folder: Path) -> None:
    """Write the six files into a new folder."""
    if folder.exists():
        sys.exit(f"{folder} is there already. Name a new one.")
    lab = find_lab(find_course(Path(__file__).resolve().parents[2]), LAB)
    folder.mkdir(parents=True)
    with TemporaryDirectory() as place:
        kitchen = Kitchen(lab, Path(place))
        for learner, (kind, name) in ANSWERS.items():
            _hand_in(
                lab,
                kitchen.make(find_answer(lab, kind, name)),
                folder / f"{learner}.zip",
            )
            print(f"{learner}.zip: {kind} {name}".rstrip())
    whole = (folder / "anna.zip").read_bytes()
    (folder / "emil.zip").write_bytes(whole[: len(whole) // 2])
    print("emil.zip: cut off half-way")
    copyfile(folder / "ben.zip", folder / "final_v2.zip")
    print("final_v2.zip: by nobody knows whom")


def _hand_in(lab: Lab, workspace: Path, path: Path) -> None:
    snapshot = take(workspace)
    receipt = {
        "format": FORMAT,
        "lab": lab.id,
        "release": lab.release,
        "snapshot": snapshot.hash,
    }
    pack(snapshot, receipt, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
