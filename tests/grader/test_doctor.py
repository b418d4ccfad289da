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
def test_every_wall_of_the_sandbox_holds_here() -> None:
    if problem := why_not():
        pytest.skip(f"no sandbox on this host: {problem}")
    strength = look()
    assert [wall.name for wall in strength.walls] == [name for name, *_ in WALLS]
    assert strength.missing == (), strength.walls
    assert strength.weak == (), strength.walls


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
def test_the_command_prints_a_table_and_json() -> None:
    command = [sys.executable, "-m", "grader.cli", "doctor"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert {wall["name"] for wall in json.loads(done.stdout)["walls"]} >= {"network", "memory"}
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "✓ network" in done.stdout
    assert "What no box can stop, here or elsewhere:\n- answers from a lookup" in done.stdout
    assert "Every wall holds" in done.stdout
