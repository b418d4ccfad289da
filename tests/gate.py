"""The gate: everything that must hold before main moves. `make test` runs it, `make check` its quick part.

Each step prints one line and its seconds; a failed one prints what it said. The tests come last, so that
their count is the last thing to read.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab_env.promtool import APT

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
PROGRAMS = {
    "chromium": "chromium",
    "ip": "iproute2",
    "unshare": "util-linux",
    "git": "git",
    "podman": "podman",
    "catatonit": "catatonit",  # what holds a pod's namespaces
    "dockerd": "docker.io",
    "runc": "runc",
    "slirp4netns": "slirp4netns",
    "mmdebstrap": "mmdebstrap",
}
POSTGRESQL = Path("/usr/lib/postgresql")
WITHOUT_STARTING = "/etc/postgresql-common/createcluster.conf"  # else its package starts a server
FAILED = ROOT / ".cache" / "failed"  # where pytest notes what failed
FEW = 3  # failures that may come of the load of the run itself
FONTS = Path("/usr/share/fonts/truetype/dejavu")


@dataclass(frozen=True)
class Step:
    """A named command of the gate; `quick` ones are in `make check` too.

    Of one that `tells`, the last line is printed even when it holds.
    """

    name: str
    command: tuple[str, ...]
    quick: bool = True
    tells: bool = False


def steps() -> list[Step]:
    """The steps but for the tests, quickest answers first."""
    site = str(ROOT / ".cache" / "site")
    code = ("grader", "lab_env", "tests", "docs", "labs", "solutions")
    return [
        Step("format", ("ruff", "format", "--check", "--quiet", ".")),
        Step("lint", ("ruff", "check", "--quiet", ".")),
        Step("types", ("mypy", "grader", "lab_env", "tests", "docs")),
        Step(
            "spelling",
            ("typos", "--config", ".typos.toml", *code, "README.md", "CONTRIBUTING.md", "CHANGELOG.md"),
        ),
        Step("markdown", ("rumdl", "check", "--no-cache", "--quiet", ".")),
        Step("releases in step", ("grader", "release", "--check")),
        Step("site", ("mkdocs", "build", "--strict", "--quiet", "--site-dir", site)),
        Step(
            "links", ("lychee", "--offline", "--include-fragments", "--no-progress", "--root-dir", site, site)
        ),
        Step("image", ("python", "-m", "tests.containers"), quick=False, tells=True),
    ]


def main() -> int:
    """Run the gate; 0 when all of it holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="leave out what takes longer than a minute")
    quick = options.parse_args().quick
    if not quick and not _has_system_packages():
        return 2
    began = time.monotonic()
    (ROOT / ".cache").mkdir(exist_ok=True)
    failed = [step.name for step in steps() if (step.quick or not quick) and not _holds(step)]
    tests = _tests(quick)
    print(f"gate: {time.monotonic() - began:.0f} s", flush=True)
    if failed:
        print(f"Failed besides the tests: {', '.join(failed)} (see above).", flush=True)
    return 1 if failed or tests else 0


def _tests(quick: bool) -> int:
    """Run pytest on both cores; what fails runs once more, alone, and is named if it holds then.

    Browsers, servers and limits by the clock share two cores here. More than a few failures are no accident.
    """
    words = ["--durations=8", "-q", "-o", f"cache_dir={FAILED}"]
    words += ["-m", "not slow and not browser and not network_cut"] if quick else []
    shutil.rmtree(FAILED, ignore_errors=True)
    code = _run([str(BIN / "pytest"), *words, "-n", "2", "--dist", "worksteal"]).returncode
    failed = _failed()
    if code != 1 or not 0 < len(failed) <= FEW:
        return code
    print(f"gate: {len(failed)} failed; once more, alone.", flush=True)
    code = _run([str(BIN / "pytest"), *words, "--lf"]).returncode
    for name in sorted(set(failed) - set(_failed())):
        print(f"UNSTEADY: {name} failed beside others and holds alone: mend it.", flush=True)
    return code


def _failed() -> list[str]:
    """The tests that failed in the last run of pytest."""
    try:
        found: dict[str, bool] = json.loads((FAILED / "v" / "cache" / "lastfailed").read_text())
    except FileNotFoundError:
        return []
    return list(found)


def _holds(step: Step) -> bool:
    began = time.monotonic()
    program = BIN / step.command[0]
    done = _run([str(program), *step.command[1:]], capture=True)
    sign = "ok" if done.returncode == 0 else "FAILED"
    print(f"{step.name}: {sign} ({time.monotonic() - began:.1f} s)", flush=True)
    if done.returncode:
        print(done.stdout, flush=True)
    elif step.tells:
        print(f"  {done.stdout.splitlines()[-1]}", flush=True)
    return done.returncode == 0


def _run(command: Sequence[str], capture: bool = False) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "NO_MKDOCS_2_WARNING": "1",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    pipe = subprocess.PIPE if capture else None
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=pipe,
        stderr=subprocess.STDOUT if capture else None,
        text=True,
        errors="replace",
        check=False,
    )


def _has_system_packages() -> bool:
    """Whether what the tests need of the system is there; root installs it, others are told the line."""
    if platform.system() != "Linux":
        print("The whole gate runs on Linux only; here `make start` and `make check` do.", file=sys.stderr)
        return False
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    missing = sorted({package for name, package in PROGRAMS.items() if shutil.which(name, path=path) is None})
    if not FONTS.is_dir():
        missing.append("fonts-dejavu-core")
    lines = [f"sudo apt-get install --yes --no-install-recommends {' '.join(missing)}"] if missing else []
    if not all(shutil.which(name, path=path) for name in ("promtool", "prometheus")):
        lines.append(f"{APT} ./usr/bin/prometheus")  # its package would start a server
    if not any(POSTGRESQL.glob("*/bin/postgres")):
        lines += [
            f"sudo mkdir -p {Path(WITHOUT_STARTING).parent}",
            f"echo 'create_main_cluster = false' | sudo tee {WITHOUT_STARTING}",
            "sudo apt-get install --yes --no-install-recommends postgresql",
        ]
    if not lines:
        return True
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        text = "\n    ".join(("The tests need what is not here. Run:", *lines))
        print(text, file=sys.stderr)
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for line in ("apt-get update -q", *lines):
        command = line.replace("sudo ", "")
        print(f"Installing for the tests: {command}", flush=True)
        done = subprocess.run(
            ["sh", "-c", command], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"`{command}` failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}", file=sys.stderr)
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
