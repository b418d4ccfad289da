"""Where the attacks take place: a small lab, an honest answer, and a class folder with canaries in it."""

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from grader.checks import Hidden
from grader.manifest import Lab, read_lab
from tests.grader.courses import commit, git, write_files

ROOMY = "cpu_s = 60\nwall_s = 120\nmemory_mb = 256\ndisk_mb = 16\noutput_kb = 64"
TIGHT = "cpu_s = 1\nwall_s = 3\nmemory_mb = 256\ndisk_mb = 16\noutput_kb = 64"

HONEST = {
    "eta.py": """
        def minutes(km):
            return 10 + 4 * km


        def minutes_all(trips):
            return [minutes(km) for km in trips]


        def zones():
            return ["east", "north"]
    """,
    "report.py": """
        from eta import minutes

        trips = [float(line) for line in open("trips.csv").read().split()[1:]]
        mean = sum(map(minutes, trips)) / len(trips)
        with open("metrics.json", "w") as file:
            file.write('{"mean": %.1f}' % mean)
        print(mean)
    """,
    "service.py": """
        import http.server, sys
        from eta import minutes

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"minutes": %.1f}' % minutes(float(self.path.partition("=")[2])))

            def log_message(self, *_):
                pass

        http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
    """,
    "notes.md": "Ten minutes, and four a kilometre.\n",
    ".gitignore": "/store/\n/data/orders.csv\n",
}
ORDERS = b"km,minutes\n1,14\n2,18\n"

CHECKS = """
    from grader.checks import Evidence, Expect, Student, near

    TRIPS = {"trips.csv": b"km\\n1\\n2\\n"}
    WHY = {"looked_at": "the work", "why": "A promise must hold."}


    def test_calls(student: Student, expect: Expect) -> None:
        expect(student.call("eta.minutes", 3.0), near(22.0, within=0.01), **WHY)


    def test_lists(student: Student, expect: Expect) -> None:
        expect(student.call("eta.zones"), ["east", "north"], **WHY)


    def test_runs(student: Student, expect: Expect) -> None:
        done = student.run(["python", "report.py"], files=TRIPS)
        found = [done.code, done.stdout.strip(), done.read("metrics.json")]
        expect(found, [0, "16.0", b'{"mean": 16.0}'], **WHY)


    def test_repeats(student: Student, expect: Expect) -> None:
        codes = [student.run(["python", "report.py"], files=TRIPS).code for _ in range(6)]
        expect(codes, [0] * 6, **WHY)


    def test_serves(student: Student, expect: Expect) -> None:
        session = student.session(["python", "service.py", "{port}"])
        expect(session.get("/minutes?km=3").json(), {"minutes": 22.0}, **WHY)


    def test_holds(student: Student, expect: Expect) -> None:
        session = student.session()
        first = session.call("eta.minutes", 1.0)
        printed = session.run(["python", "-c", "print(6 * 7)"]).stdout
        expect([first, printed, session.call("eta.minutes", 2.0)], [14.0, "42\\n", 18.0], **WHY)


    def test_reads(evidence: Evidence, expect: Expect) -> None:
        expect(evidence.text("notes.md"), "Ten minutes, and four a kilometre.\\n", **WHY)


    def test_commits(evidence: Evidence, expect: Expect) -> None:
        files, text = evidence.git.files(), evidence.git.read("eta.py") or b""
        expect(["eta.py" in files, b"10 + 4 * km" in text], [True, True], **WHY)


    def test_is_clean(evidence: Evidence, expect: Expect) -> None:
        expect([*evidence.git.changed(), *evidence.git.untracked()], [], **WHY)


    def test_tracks(evidence: Evidence, expect: Expect) -> None:
        expect([out.md5 for out in evidence.dvc.outs().values()], ["@MD5@"], **WHY)


    def test_pulls(evidence: Evidence, expect: Expect) -> None:
        pulled = evidence.dvc.pull()
        expect(pulled.read("data/orders.csv") or pulled.error, b"km,minutes\\n1,14\\n2,18\\n", **WHY)
"""

HIDDEN = """
    from grader.checks import Expect, Hidden, Student

    WORD = "@CANARY@"


    def test_hidden_minutes(student: Student, hidden: Hidden, expect: Expect) -> None:
        trips = hidden.rng("km").integers(10**11, 10**12, 4).tolist()
        wanted = [10 + 4 * km for km in trips]
        found = student.call("eta.minutes_all", trips)
        expect(found, wanted, looked_at=f"minutes_all({trips})", why="One proves little.")
"""
VISIBLE = (
    "calls", "lists", "runs", "repeats", "serves", "holds", "reads", "commits", "is_clean", "tracks", "pulls"
)  # fmt: skip


def canary(place: str) -> str:
    """A word that is nowhere else, and that a thief can look for by its form."""
    return f"CANARY-{place}-{secrets.token_hex(8)}"


@dataclass(frozen=True)
class Ground:
    """The place and what must never leave it."""

    roomy: Lab
    tight: Lab
    honest: Path
    class_folder: Path
    secret: bytes
    canaries: tuple[str, ...]

    @property
    def hidden_numbers(self) -> list[str]:
        """What the hidden check asks and expects, as digits."""
        rng = Hidden(self.secret, self.roomy.id, "hidden_minutes").rng("km")
        trips = rng.integers(10**11, 10**12, 4).tolist()
        return [str(number) for km in trips for number in (km, 10 + 4 * km)]

    @property
    def words(self) -> dict[str, str]:
        """What stands between @ signs in hostile files: paths that the attacker is told."""
        return {"CLASS": str(self.class_folder), "COURSE": str(self.roomy.course)}


def make_ground(folder: Path) -> Ground:
    """Lab, honest work and class folder below `folder`, open to whoever reaches them."""
    places = {place: canary(place) for place in ("hidden", "secret", "class", "neighbour", "env")}
    secret = places["secret"].encode()
    labs = [make_lab(folder / name, limits, places["hidden"]) for name, limits in LIMITS.items()]
    class_folder = folder / "class"
    write_files(
        class_folder,
        {
            "class.toml": f'secret = "{places["class"]}"\n',
            "gradebook.db": f"{places['class']}\n",
            "submissions/other/01-eta/work/eta.py": f"# {places['neighbour']}\n",
        },
    )
    os.environ["GRADER_CANARY"] = places["env"]
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Ground(
        labs[0],
        labs[1],
        honest_work(folder / "honest"),
        class_folder,
        secret,
        (*places.values(), secret.hex()),
    )


LIMITS = {"roomy": ROOMY, "tight": TIGHT}


def make_lab(folder: Path, limits: str, word: str) -> Lab:
    """The lab with its limits; `word` is planted in its hidden check."""
    parts = ['format = 1\ntitle = "Arrival"\nminutes = 1\nobjectives = ["Promise"]\n']
    parts.append(f'preload = ["numpy", "pandas"]\n[limits]\n{limits}\n')
    parts.append('[[tasks]]\nid = "all"\ntitle = "All"\nminutes = 1\n')
    for name in (*VISIBLE, "hidden_minutes"):
        hidden = json.dumps(name not in VISIBLE)
        parts.append(
            f'[[tasks.checks]]\nid = "{name}"\nsays = "{name}"\npoints = 1\nhints = ["a", "b", "c"]\n'
            f"hidden = {hidden}\n"
        )
    md5 = hashlib.md5(ORDERS).hexdigest()
    write_files(
        folder,
        {
            "mkdocs.yml": "",
            "labs/01-eta/lab.toml": "".join(parts),
            "labs/01-eta/release.txt": "0" * 64,
            "labs/01-eta/checks/test_visible.py": dedent(CHECKS).replace("@MD5@", md5),
            "solutions/01-eta/checks/test_hidden.py": dedent(HIDDEN).replace("@CANARY@", word),
            "solutions/01-eta/work/eta.py": f"# {word}\n",
        },
    )
    return read_lab(folder / "labs" / "01-eta")


def honest_work(folder: Path) -> Path:
    """Work that earns every point: code, a Git repository, a DVC pointer and its store."""
    write_files(folder, HONEST)
    md5 = hashlib.md5(ORDERS).hexdigest()
    pointer = f"outs:\n- md5: {md5}\n  size: {len(ORDERS)}\n  hash: md5\n  path: orders.csv\n"
    config = "[core]\n    remote = store\n['remote \"store\"']\n    url = ../store\n"
    write_files(folder, {".dvc/config": config, "data/orders.csv.dvc": pointer})
    for place in (folder / "data" / "orders.csv", folder / "store" / "files" / "md5" / md5[:2] / md5[2:]):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(ORDERS)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "all of it")
    return folder
