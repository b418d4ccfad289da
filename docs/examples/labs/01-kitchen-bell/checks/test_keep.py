"""What is kept: in Git, in DVC's store, and in plain files."""

from grader.checks import Evidence, Expect, Student, at_most, empty


# --8<-- [start:git]
def test_version_is_tagged(evidence: Evidence, expect: Expect) -> None:
    git = evidence.git
    tagged = git.tags().get("v1")
    expect.that(
        tagged is not None
        and git.head is not None
        and git.is_ancestor(tagged, git.head),
        found=git.tags(),
        expected="v1 on a commit that main contains",
        looked_at="the tags",
        why="A tag beside the branch is lost with the next clean-up.",
        misconception="no-tag",
    )
    expect(
        git.branch,
        "main",
        looked_at="the branch that HEAD is on",
        why="Work in a detached HEAD is easily lost.",
    )
    expect(
        sorted(git.branches()),
        ["main"],
        looked_at="the branches",
        why="One line of work is enough here.",
    )
    expect(
        git.changed(),
        empty("nothing"),
        looked_at="git status",
        why="What is not committed is in no version.",
    )
    expect(
        git.untracked(),
        empty("nothing"),
        looked_at="git status",
        why="Nor is what Git does not know.",
    )
    expect(
        git.ignored("dishes.csv"),
        True,
        looked_at=".gitignore",
        why="DVC keeps the dishes, Git their pointer.",
    )
    largest = max(git.blobs(), key=lambda blob: blob.size)
    expect(
        largest.size,
        at_most(1_000_000),
        looked_at=largest.path,
        why="Every clone carries it.",
    )
    # --8<-- [end:git]


# --8<-- [start:dvc]
def test_dishes_can_be_pulled(
    evidence: Evidence, student: Student, expect: Expect
) -> None:
    dvc = evidence.dvc
    address = dvc.remotes.get(dvc.default or "", "no address")
    place = f"the default remote: {dvc.default}, {address}"
    expect.that(
        dvc.store_folder is not None,
        found=dvc.remotes,
        expected="a folder inside the workspace, by a relative path",
        looked_at=place,
        why="An address on your own disk leads nowhere on another.",
    )
    out = dvc.outs("v1")["dishes.csv"]
    expect(
        dvc.store().get(out.md5),
        out.size,
        looked_at=place,
        why="Without its bytes, a pointer is a name and no dishes.",
        misconception="not-pushed",
    )
    clone = dvc.pull("v1")
    expect.that(
        clone.ok and clone.read("dishes.csv") is not None,
        found=clone.error,
        expected="dishes.csv",
        looked_at=f"a clean clone at {clone.ref} after dvc pull",
        why="This is what a colleague gets.",
    )
    done = student.at(clone).run(["python", "bell.py", "dishes.csv"])
    expect(
        done.code,
        0,
        looked_at="bell.py of v1 on the dishes of v1",
        why="A version is code and data together.",
    )
    # --8<-- [end:dvc]


# --8<-- [start:files]
def test_dishes_are_described(evidence: Evidence, expect: Expect) -> None:
    expect.that(
        "notes.md" in evidence.files()
        and (evidence.read("notes.md") or b"").strip() != b"",
        found=sorted(evidence.files()),
        expected="notes.md with a line in it",
        looked_at="the files",
        why="In a year nobody remembers where a table came from.",
    )
    notes = evidence.text("notes.md") or ""
    expect.that(
        "Source:" in notes,
        found=notes,
        expected="a line with Source:",
        looked_at="notes.md",
        why="A number without a source is a rumour.",
        misconception="no-source",
    )
    committed = evidence.git.read("notes.md", ref="HEAD")
    expect(
        committed,
        evidence.read("notes.md"),
        looked_at="notes.md in HEAD",
        why="A version holds what is committed.",
    )
    expect(
        evidence.git.files()["notes.md"],
        at_most(500),
        looked_at="its size",
        why="A note, not a novel.",
    )
    # --8<-- [end:files]
