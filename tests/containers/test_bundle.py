"""A class without internet: the course sets itself up from what `make bundle` wrote, with the network cut."""

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from grader.publish import publish
from lab_env import bundle
from lab_env.errors import LabError
from tests.containers.store import ROOT
from tests.docs.offline import cut_network, newcomer


@pytest.mark.network_cut
@pytest.mark.slow
def test_the_course_installs_from_its_bundle_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "course"
    publish(ROOT, copy)
    monkeypatch.setenv("LAB_ENGINE", "nothing")
    bundle.fill(ROOT, copy)
    told = capsys.readouterr().out
    assert re.search(r"^wheelhouse/ +[345]\d\d MB$", told, re.MULTILINE), told
    assert "No image.tar: `nothing` is no container engine that we know." in told
    assert "<title>" in (copy / "site" / "index.html").read_text()
    python = [str(Path(sys.base_prefix, "bin", "python3")), "lab_env/bootstrap.py"]
    done = subprocess.run(
        [*cut_network(), *python], cwd=copy, env=newcomer(copy), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "from wheelhouse/" in done.stdout
    said = subprocess.run(
        [*cut_network(), str(copy / ".venv" / "bin" / "lab"), "list"],
        cwd=copy,
        env=newcomer(copy) | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Version data like code" in said.stdout


@pytest.mark.container
@pytest.mark.slow
def test_the_image_is_saved_under_the_name_that_lab_looks_for(image: str, tmp_path: Path) -> None:
    assert bundle.save(ROOT, tmp_path / "image.tar") > 1000
    with tarfile.open(tmp_path / "image.tar") as archive:
        manifest = archive.extractfile("manifest.json")
        assert manifest is not None
        assert json.load(manifest)[0]["RepoTags"] == [image]


def test_a_folder_without_the_course_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"is no copy of the course. Make one first: `grader publish "):
        bundle.fill(ROOT, tmp_path)
