"""What the bell does: called, run, kept alive and served."""

import json

from grader.checks import Expect, Student, at_least, between, near, one_of


# --8<-- [start:call]
def test_minutes_are_counted(student: Student, expect: Expect) -> None:
    expect(
        student.call("bell.minutes_left", 12, passed=5),
        7,
        looked_at="minutes_left(12, passed=5)",
        why="The customer wants to know what is left.",
    )
    expect(
        student.call("bell.minutes_left", 12, passed=20),
        at_least(0),
        looked_at="minutes_left(12, passed=20)",
        why="A dish that is late is still not done in the past.",
        misconception="time-below-zero",
    )
    # --8<-- [end:call]


# --8<-- [start:run]
def test_report_is_written(student: Student, expect: Expect) -> None:
    dishes = b"dish,minutes\ndal,20\nbiryani,45\n"
    done = student.run(
        ["python", "bell.py", "dishes.csv"], files={"dishes.csv": dishes}
    )
    expect(
        done.code,
        0,
        looked_at="the exit code of python bell.py dishes.csv",
        why=f"It did not come to its end: {done.stderr[-200:]}",
    )
    report = json.loads(done.read("bell.json") or b"{}")
    expect(
        report.get("slowest"),
        "biryani",
        looked_at="bell.json, for dal with 20 and biryani with 45 minutes",
        why="The kitchen starts with the slowest dish.",
        misconception="first-is-slowest",
    )
    expect.that(
        "biryani" in done.stdout,
        found=done.stdout or "nothing",
        expected="a line that names the dish",
        looked_at="what python bell.py printed",
        why="The cook reads the terminal, not the file.",
    )
    # --8<-- [end:run]


# --8<-- [start:session]
def test_rings_are_remembered(student: Student, expect: Expect) -> None:
    session = student.session()
    session.call("bell.ring", "dal")
    expect(
        session.call("bell.ring", "biryani"),
        2,
        looked_at="ring() called twice in one process",
        why="A bell that forgets cannot say how many dishes wait.",
        misconception="bell-forgets",
    )
    printed = session.run(["python", "bell.py", "dishes.csv"])
    expect(
        printed.code,
        one_of(0, 1),
        looked_at="the same box",
        why="A program can run in it too.",
    )
    kept = session.read("bell.json")
    expect.that(
        kept is not None,
        found=kept,
        expected="a file",
        looked_at="bell.json",
        why="The box keeps files.",
    )
    session.close()
    # --8<-- [end:session]


# --8<-- [start:serve]
def test_service_answers(student: Student, expect: Expect) -> None:
    session = student.session(["python", "service.py", "{port}"])
    health = session.get("/healthz")
    expect(
        health.status,
        200,
        looked_at="GET /healthz",
        why="Nothing is routed to a service that is not healthy.",
        misconception="always-unhealthy",
    )
    reply = session.post(
        "/ring",
        json_body={"cooking": 12, "passed": 5},
        headers={"x-kitchen": "7"},
    )
    expect(
        reply.status,
        between(200, 299),
        looked_at="POST /ring",
        why="A good request gets a good answer.",
    )
    expect(
        reply.headers.get("content-type"),
        "application/json",
        looked_at="the content type of the answer",
        why="The caller decides by it how to read the body.",
    )
    expect.that(
        len(reply.body) < 1000,
        found=reply.body,
        expected="a short body",
        looked_at="the body",
        why="Phones.",
    )
    expect(
        reply.json()["left"],
        near(7, within=0.5),
        looked_at="left, for 12 and 5",
        why="As in the function.",
    )
    # --8<-- [end:serve]


# --8<-- [start:notebook]
def test_slow_dishes_are_known(student: Student, expect: Expect) -> None:
    dishes = b"dish,minutes\ndal,20\nbiryani,45\nidli,10\n"
    notebook = student.notebook("times.ipynb", files={"dishes.csv": dishes})
    expect(
        notebook.value("mean_minutes"),
        near(25, within=0.01),
        looked_at="mean_minutes, for dishes of 20, 45 and 10 minutes",
        why="Every dish counts, not only the first and the last.",
        misconception="mean-of-the-ends",
    )
    expect(
        notebook.call("is_slow", "dal"),
        False,
        looked_at='is_slow("dal"), with 20 minutes',
        why="Slow is what takes longer than the mean.",
    )
    expect(
        len(notebook.raised),
        0,
        looked_at="the cells that raised",
        why="A colleague runs it from top to bottom.",
    )
    # --8<-- [end:notebook]
