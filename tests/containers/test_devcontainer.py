"""What an editor reads of `.devcontainer` is so: the file, the target, the user, the ports, the commands."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

from lab_env.plans import USUAL_PORTS
from tests.containers.store import ROOT

PLACE = ROOT / ".devcontainer"
SETTINGS = json.loads((PLACE / "devcontainer.json").read_text())


def test_the_image_is_the_one_that_lab_builds() -> None:
    build = SETTINGS["build"]
    file = (PLACE / build["dockerfile"]).resolve()
    assert (file, (PLACE / build["context"]).resolve()) == (ROOT / "lab_env" / "Dockerfile", ROOT)
    lines = file.read_text().splitlines()
    assert any(line.endswith(f" AS {build['target']}") for line in lines)
    assert any(f"--create-home {SETTINGS['remoteUser']}" in line for line in lines)


def test_every_service_is_forwarded() -> None:
    assert sorted(SETTINGS["forwardPorts"]) == sorted(USUAL_PORTS.values())
    assert {int(port) for port in SETTINGS["portsAttributes"]} == set(USUAL_PORTS.values())


def test_the_commands_of_an_editor_exist() -> None:
    commands = [shlex.split(part) for part in SETTINGS["postAttachCommand"].split("&&")]
    assert len(commands) == 3
    for program, *words in commands:
        path = Path(sys.executable).with_name(program)
        assert subprocess.run([path, *words, "--help"], capture_output=True, check=False).returncode == 0
