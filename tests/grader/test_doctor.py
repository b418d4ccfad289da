"""The doctor's attacks: all repelled by the sandbox here, and none of them toothless."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from grader.boxes.bubblewrap import why_not
from grader.boxes.local import LocalBox
from grader.doctor import WALLS, Attack, Strength, Wall, look

# What the other probes do would reach the person at this machine.
HARMLESS = ("reading", "network", "/proc", "leftovers", "disk", "files", "shared memory", "processes")


@pytest.mark.slow
@pytest.mark.parametrize("name", HARMLESS)
def test_an_attack_gets_through_where_there_is_no_wall(name: str, tmp_path: Path) -> None:
    [(_, _, act, _)] = [wall for wall in WALLS if wall[0] == name]
    assert act(Attack(LocalBox(), tmp_path)) != ""


def test_a_box_without_walls_is_not_for_strangers() -> None:
    strength = look("local")
    assert strength.missing == ("sandbox",)
    assert "for one's own work" in strength.walls[0].found


def test_a_wall_that_is_not_required_makes_a_host_weak() -> None:
    walls = (Wall("shared memory", False, False, "512 MB"), Wall("network", True, True, ""))
    assert Strength("bubblewrap", walls).weak == ("shared memory",)
    assert Strength("bubblewrap", walls).missing == ()


@pytest.mark.slow
def test_every_wall_of_this_host_holds_and_stands_in_the_table() -> None:
    if problem := why_not():
        pytest.skip(f"no sandbox on this host: {problem}")
    done = doctor()
    assert done.returncode == 0, done.stdout
    assert [name for name, *_ in WALLS if f"✓ {name}" not in done.stdout] == []
    assert "What no box can stop, here or elsewhere:\n- answers from a lookup" in done.stdout
    assert "Every wall holds" in done.stdout


def test_the_command_says_the_same_as_json() -> None:
    done = doctor("--box", "local", "--json")
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert [(wall["name"], wall["holds"]) for wall in said["walls"]] == [("sandbox", False)]
    assert "answers from a lookup, or a model file that returns labels" in said["by_nature"]


def doctor(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "grader.cli", "doctor", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)
