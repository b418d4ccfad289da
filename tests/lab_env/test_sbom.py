import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from lab_env import sbom
from lab_env.sbom import bill, debian_packages, python_packages

STATUS = """\
Package: zlib1g
Status: install ok installed
Version: 1:1.2.13.dfsg-1
Description: compression

Package: gone
Status: deinstall ok config-files
Version: 1.0
"""


def test_every_python_package_is_listed_once_with_version_and_licence() -> None:
    done = subprocess.run(
        [sys.executable, sbom.__file__, "the-course"], capture_output=True, text=True, check=True
    )
    document = json.loads(done.stdout)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["name"] == "the-course"
    parts = {part["bom-ref"]: part for part in document["components"]}
    assert len(parts) == len(document["components"])
    pandas = parts[f"pkg:pypi/pandas@{version('pandas')}"]
    assert pandas["licenses"]
    assert pandas["purl"] == pandas["bom-ref"]
    again = subprocess.run(
        [sys.executable, sbom.__file__, "the-course"], capture_output=True, text=True, check=True
    )
    assert again.stdout == done.stdout


def test_licences_are_expressions_or_names() -> None:
    said = [licence for part in python_packages() for licence in part.get("licenses", ())]
    assert {"expression", "license"} == {key for licence in said for key in licence}
    assert all(licence["license"]["name"] for licence in said if "license" in licence)


def test_debian_s_packages_are_those_installed_and_those_put_beside(tmp_path: Path) -> None:
    (tmp_path / "status.d").mkdir()
    (tmp_path / "status").write_text(STATUS)
    (tmp_path / "status.d" / "prometheus").write_text("Package: prometheus\nVersion: 2.42.0+ds-5\n")
    parts = bill("x", list(debian_packages(tmp_path)))["components"]
    assert [part["purl"] for part in parts] == [
        "pkg:deb/debian/prometheus@2.42.0%2Bds-5",
        "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1",
    ]
    assert list(debian_packages(tmp_path / "nowhere")) == []
