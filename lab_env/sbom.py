"""What an image is made of, as CycloneDX 1.6: its Python packages and Debian's.

Run at the end of a build, in the environment that it describes. The same packages give the same bytes.

    python lab_env/sbom.py from-devops-to-mlops > sbom.cdx.json
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

DPKG = Path("/var/lib/dpkg")


def main() -> None:
    """Print the list of this environment's parts, under the name of the whole."""
    print(json.dumps(bill(sys.argv[1], [*python_packages(), *debian_packages(DPKG)]), indent=1))


def bill(name: str, components: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole document; each part once, in order."""
    by_reference = {component["bom-ref"]: component for component in components}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "container", "bom-ref": name, "name": name}},
        "components": [by_reference[key] for key in sorted(by_reference)],
    }


def python_packages() -> Iterator[dict[str, Any]]:
    """What Python finds on its path."""
    for found in distributions():
        name = re.sub(r"[-_.]+", "-", found.name).lower()
        yield component(f"pkg:pypi/{name}", name, found.version, licences(found))


def debian_packages(folder: Path) -> Iterator[dict[str, Any]]:
    """What dpkg has installed, and what was put beside it with its control file in `status.d`."""
    extra = sorted((folder / "status.d").glob("*"))
    for file in [path for path in (folder / "status", *extra) if path.is_file()]:
        for paragraph in re.split(r"\n{2,}", file.read_text(encoding="utf-8")):
            fields = dict(re.findall(r"^(Package|Version|Status): (.+)$", paragraph, re.MULTILINE))
            if "Package" in fields and fields.get("Status", "installed").endswith("installed"):
                name = fields["Package"]
                yield component(f"pkg:deb/debian/{name}", name, fields["Version"], [])


def component(purl: str, name: str, version: str, licenses: list[dict[str, Any]]) -> dict[str, Any]:
    """One part; its package URL is its reference."""
    reference = f"{purl}@{quote(version, safe='.~:-')}"
    known = {"licenses": licenses} if licenses else {}
    facts = {"bom-ref": reference, "name": name, "version": version, "purl": reference}
    return {"type": "library", **facts, **known}


def licences(found: Distribution) -> list[dict[str, Any]]:
    """What a package says of its licence: an expression, else its classifiers, else a short name."""
    facts = found.metadata
    if "License-Expression" in facts:
        return [{"expression": facts["License-Expression"]}]
    classified = [
        line.rpartition(" :: ")[2]
        for line in facts.get_all("Classifier") or ()
        if line.startswith("License :: ")
    ]
    text = facts["License"].strip() if "License" in facts else ""
    names = classified or ([text] if text and len(text) < 80 and "\n" not in text else [])
    return [{"license": {"name": name}} for name in dict.fromkeys(names)]


if __name__ == "__main__":
    main()
