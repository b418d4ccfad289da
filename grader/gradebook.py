"""The gradebook: nbgrader's, a projection of the results plus what people typed. Its one door.

A lab is an assignment with one notebook of the same name; a check is a grade cell and a comment cell of the
check's name. What a person typed, points or a comment, stays theirs as long as the submission is the same;
of a newer submission it is put aside (`grader_by_hand`) and a person is asked to look again.
"""

import logging
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC
from pathlib import Path
from typing import Any

from grader.classroom import Classroom
from grader.deadlines import Lateness, lateness
from grader.errors import CourseError
from grader.locks import Held, hold, note
from grader.manifest import Lab, find_lab
from grader.marks import Mark, Row
from grader.receipts import Receipt, newest
from grader.results import CheckResult, Result
from grader.runs import is_undecided
from grader.texts import lesson, line

FILE = "gradebook.db"
COURSE_ID = "class"
WAIT_S = 10.0
OURS = (
    "CREATE TABLE IF NOT EXISTS grader_projected (learner TEXT, lab TEXT, snapshot TEXT, lab_release TEXT, "
    "PRIMARY KEY (learner, lab))",
    "CREATE TABLE IF NOT EXISTS grader_by_hand (learner TEXT, lab TEXT, snapshot TEXT, check_id TEXT, "
    "points FLOAT, extra FLOAT, comment TEXT, PRIMARY KEY (learner, lab, snapshot, check_id))",
)


def project(classroom: Classroom, lab: Lab, results: Mapping[str, Result], *, wait_s: float = WAIT_S) -> None:
    """Bring the gradebook up to date with `results`, by learner; again with the same ones changes nothing.

    Raises:
        CourseError: another program holds the gradebook, or it cannot be written. The results are safe.
    """
    receipts = newest(classroom, lab.id)
    with _writer(classroom, lab, wait_s), _open(classroom, wait_s, f"grader grade {lab.number}") as book:
        for learner in classroom.roster.values():
            first, last = _names(learner.name)
            book.update_or_create_student(
                learner.id, first_name=first, last_name=last, email=_no_html(learner.email)
            )
        cells = _lay_out(book, classroom, lab)
        for name, result in results.items():
            if name in receipts and receipts[name].snapshot == result.snapshot:
                _Page(book, lab, cells, receipts[name], result).write()


def rows(classroom: Classroom, *, wait_s: float = WAIT_S) -> list[Row]:
    """Every learner of the roster with every lab of the gradebook, in order of lab and learner.

    Raises:
        CourseError: the gradebook is not there, cannot be read, or is held by another program.
    """
    if not (classroom.folder / FILE).is_file():
        raise CourseError(f"{classroom.folder / FILE} is not there yet. Run `grader grade LAB` first.")
    with _open(classroom, wait_s, "the command") as book:
        found = []
        assignments = sorted(book.assignments, key=lambda one: str(one.name))
        labs = {str(one.name) for one in assignments} | classroom.deadlines.keys()
        handed = {lab: newest(classroom, lab) for lab in labs}
        late = {name: _lateness(classroom, name, handed) for name in classroom.roster}
        for assignment in assignments:
            receipts = handed[str(assignment.name)]
            submitted = {one.student.id: one for one in assignment.submissions}
            for name in sorted(classroom.roster.keys() | submitted.keys()):
                row = _row(classroom, book, assignment, name, submitted.get(name), receipts.get(name))
                found.append(replace(row, lateness=late.get(name, {}).get(row.lab)))
    return found


def _lateness(
    classroom: Classroom, name: str, handed: Mapping[str, Mapping[str, Receipt]]
) -> dict[str, Lateness]:
    return lateness(
        classroom, name, {lab: found[name].collected_at for lab, found in handed.items() if name in found}
    )


class _Page:
    """One learner's submission in the gradebook, brought up to date in one transaction."""

    def __init__(
        self, book: Any, lab: Lab, cells: Mapping[str, tuple[Any, Any]], receipt: Receipt, result: Result
    ) -> None:
        self.book = book
        self.lab = lab
        self.cells = cells
        self.receipt = receipt
        self.result = result

    def write(self) -> None:
        submission = self.book.update_or_create_submission(
            self.lab.id, self.receipt.learner, timestamp=str(self.receipt.collected_at)
        )
        (notebook,) = submission.notebooks
        self._fill(notebook)
        known = _projected(self.book, self.receipt.learner, self.lab.id)
        if known and known[0] != self.result.snapshot:
            _put_aside(self.book, self.receipt.learner, self.lab.id, known[0], notebook)
            self._bring_back(notebook)
            notebook.flagged = False
        earlier = self._earlier()
        grades = {grade.cell_id: grade for grade in notebook.grades}
        comments = {comment.cell_id: comment for comment in notebook.comments}
        for check in self.result.checks:
            graded, commented = self.cells[check.id]
            grade, comment = grades[graded.id], comments[commented.id]
            asked = is_undecided(check) or check.id in earlier
            grade.auto_score = None if is_undecided(check) else float(check.points)
            grade.needs_manual_grade = asked and grade.manual_score is None
            comment.auto_comment = "\n".join(filter(None, (says(check), earlier.get(check.id))))
        _sql(
            self.book,
            "INSERT INTO grader_projected VALUES (:learner, :lab, :snapshot, :lab_release) "
            "ON CONFLICT (learner, lab) DO UPDATE SET snapshot = :snapshot, lab_release = :lab_release",
            learner=self.receipt.learner,
            lab=self.lab.id,
            snapshot=self.result.snapshot,
            lab_release=self.result.release,
        )
        self.book.db.commit()

    def _fill(self, notebook: Any) -> None:
        """Give a submission from before the check a place for it: nbgrader makes them only with it."""
        from nbgrader.api import Comment, Grade

        have = {one.cell_id for one in (*notebook.grades, *notebook.comments)}
        for graded, commented in self.cells.values():
            if graded.id not in have:
                self.book.db.add(Grade(cell_id=graded.id, notebook=notebook))
            if commented.id not in have:
                self.book.db.add(Comment(cell_id=commented.id, notebook=notebook))
        self.book.db.flush()

    def _bring_back(self, notebook: Any) -> None:
        """Give back what a person had typed for this very snapshot before another came between."""
        key = {"learner": self.receipt.learner, "lab": self.lab.id, "snapshot": self.result.snapshot}
        where = "FROM grader_by_hand WHERE learner = :learner AND lab = :lab AND snapshot = :snapshot"
        typed = {
            check: (points, extra, comment)
            for check, points, extra, comment in _sql(
                self.book, f"SELECT check_id, points, extra, comment {where}", **key
            )
        }
        for grade in notebook.grades:
            if grade.name in typed:
                grade.manual_score, grade.extra_credit, _ = typed[grade.name]
        for comment in notebook.comments:
            if comment.name in typed:
                comment.manual_comment = typed[comment.name][2]
        _sql(self.book, f"DELETE {where}", **key)

    def _earlier(self) -> dict[str, str]:
        """By check, what a person had given to an earlier submission of this learner."""
        found = _sql(
            self.book,
            "SELECT check_id, snapshot, points, comment FROM grader_by_hand "
            "WHERE learner = :learner AND lab = :lab AND snapshot != :snapshot ORDER BY rowid",
            learner=self.receipt.learner,
            lab=self.lab.id,
            snapshot=self.result.snapshot,
        )
        return {
            check: f"By hand for the earlier submission {snapshot[:16]}: "
            f"{'no points' if points is None else f'{points:g} points'}"
            f"{f', “{line(comment)}”' if comment else ''}. Look again."
            for check, snapshot, points, comment in found
        }


def says(check: CheckResult) -> str:
    """The judge's comment on a check: the verdict and the lesson, as text."""
    return "\n".join((f"{check.verdict}: {line(check.says)}", *lesson(asdict(check))))


def _put_aside(
    book: Any, learner: str, lab: str, snapshot: str, notebook: Any, only: Collection[str] | None = None
) -> None:
    """Move what a person typed for one snapshot out of the way of the next; nothing is lost."""
    comments = {comment.name: comment for comment in notebook.comments}
    for grade in notebook.grades:
        comment = comments.get(grade.name)
        typed = (comment.manual_comment or "").strip() if comment else ""
        is_typed = typed or grade.manual_score is not None or grade.extra_credit
        if not is_typed or (only is not None and grade.name not in only):
            continue
        _sql(
            book,
            "INSERT OR REPLACE INTO grader_by_hand "
            "VALUES (:learner, :lab, :snapshot, :check_id, :points, :extra, :comment)",
            learner=learner,
            lab=lab,
            snapshot=snapshot,
            check_id=grade.name,
            points=grade.manual_score,
            extra=grade.extra_credit,
            comment=typed,
        )
        grade.manual_score = grade.extra_credit = None
        if comment:
            comment.manual_comment = None


def _lay_out(book: Any, classroom: Classroom, lab: Lab) -> dict[str, tuple[Any, Any]]:
    """The lab's assignment and notebook as the manifest has them; (grade cell, comment cell) by check."""
    deadline = classroom.deadlines.get(lab.id)
    due = deadline.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ") if deadline else None
    book.update_or_create_assignment(lab.id, duedate=due)
    notebook = book.update_or_create_notebook(lab.id, lab.id)
    cells = {}
    for check in lab.checks:
        points = 0 if lab.task(check.task).worked else check.points or 0
        place = (check.id, lab.id, lab.id)
        graded = book.update_or_create_grade_cell(*place, max_score=points, cell_type="code")
        cells[check.id] = (graded, book.update_or_create_solution_cell(*place))
    _drop(book, lab, notebook, {cell.name for cell in notebook._base_cells} - cells.keys())
    return cells


def _drop(book: Any, lab: Lab, notebook: Any, names: set[str]) -> None:
    """Take checks that the lab no longer has out of the gradebook, and keep what was typed for them."""
    for page in notebook.submissions if names else ():
        learner = page.student.id
        known = _projected(book, learner, lab.id)
        _put_aside(book, learner, lab.id, known[0] if known else "", page, names)
    for cell in [cell for cell in notebook._base_cells if cell.name in names]:
        for one in (*cell.grades, *cell.comments):
            book.db.delete(one)
        book.db.delete(cell)
    book.db.commit()


def _row(
    classroom: Classroom, book: Any, assignment: Any, name: str, submission: Any, receipt: Receipt | None
) -> Row:
    lab, late = str(assignment.name), receipt.late if receipt else None
    known = _projected(book, name, lab) if submission else None
    if known is None or (receipt and receipt.snapshot != known[0]):
        return Row(name, lab, "to be judged" if receipt or submission else "missing", late=late)
    (page,) = submission.notebooks
    comments = {comment.name: comment for comment in page.comments}
    marks = {
        grade.name: _mark(grade, comments[grade.name])
        for grade in sorted(page.grades, key=lambda one: str(one.name))
    }
    status = "graded"
    if known[1] != _release(classroom, lab):
        status = "older release"
    elif page.flagged or any(mark.to_look_at for mark in marks.values()):
        status = "to be looked at"
    points = sum(mark.points for mark in marks.values())
    possible = sum(cell.max_score for cell in page.notebook.grade_cells)
    return Row(name, lab, status, points, possible, late, *known, marks)


def _mark(grade: Any, comment: Any) -> Mark:
    counts = grade.auto_score if grade.manual_score is None else grade.manual_score
    extra = grade.extra_credit or 0.0
    typed = (comment.manual_comment or "").strip()
    return Mark(
        (counts or 0.0) + extra,
        grade.auto_score,
        grade.manual_score,
        extra,
        grade.needs_manual_grade,
        comment.auto_comment or "",
        typed,
    )


def _release(classroom: Classroom, lab: str) -> str:
    try:
        return find_lab(classroom.course, lab).release
    except CourseError:  # a lab that is gone from the course keeps its grades
        return ""


def _names(name: str) -> tuple[str, str]:
    """First and last name for formgrader's lists; without two it shows the id."""
    first, _, last = _no_html(name).rpartition(" ")
    return first, last


def _no_html(text: str) -> str:
    """A text that formgrader's pages, which escape nothing, show as text."""
    return line(text).translate(str.maketrans("<>&\"'`", "‹›+’’’"))


def _projected(book: Any, learner: str, lab: str) -> tuple[str, str] | None:
    found = _sql(
        book,
        "SELECT snapshot, lab_release FROM grader_projected WHERE learner = :learner AND lab = :lab",
        learner=learner,
        lab=lab,
    )
    return (str(found[0][0]), str(found[0][1])) if found else None


def _sql(book: Any, statement: str, **values: Any) -> list[Any]:
    from sqlalchemy import text

    done = book.db.execute(text(statement), values)
    return list(done) if done.returns_rows else []


@contextmanager
def _writer(classroom: Classroom, lab: Lab, wait_s: float) -> Iterator[None]:
    """Be the one writer; make the gradebook when there is none."""
    try:
        with hold(classroom.folder / ".gradebook.lock", wait_s=wait_s) as lock:
            note(lock)
            if not (classroom.folder / FILE).is_file():
                _make(classroom.folder)
            yield
    except Held as held:
        raise CourseError(
            _busy(classroom, f"process {held.pid} writes it", f"grader grade {lab.number}")
        ) from held
    except OSError as error:
        raise CourseError(
            f"{error.filename or classroom.folder / FILE} cannot be written ({error.strerror or error}). The "
            f"results are safe. Mend that, then run `grader grade {lab.number}` again."
        ) from error


def _make(folder: Path) -> None:
    """A new gradebook, whole or not at all: nbgrader goes on with a half-made one and never mends it.

    Made of nbgrader's own tables, as its constructor would, but without the program `alembic`, which it
    takes from PATH and waits seconds for.
    """
    with _quiet():
        import nbgrader
        from alembic.script import ScriptDirectory
        from nbgrader.api import Base
        from sqlalchemy import create_engine, text
    new = folder / f".{FILE}.new"
    new.unlink(missing_ok=True)
    version = ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head()
    engine = create_engine(f"sqlite:///{new}")
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})
    engine.dispose()
    new.replace(folder / FILE)


@contextmanager
def _open(classroom: Classroom, wait_s: float, retry: str) -> Iterator[Any]:
    with _quiet():
        from nbgrader.api import Gradebook, InvalidEntry
        from sqlalchemy import URL
        from sqlalchemy.exc import DatabaseError
    file = classroom.folder / FILE
    try:
        with _quiet():
            url = URL.create("sqlite", database=str(file), query={"timeout": str(wait_s)})
            book = Gradebook(url, COURSE_ID)
            try:
                for statement in OURS:
                    _sql(book, statement)
                yield book
            finally:
                book.close()
    except (DatabaseError, InvalidEntry) as error:
        said = str(error.args[0]) if error.args else str(error)
        if "locked" in said:
            raise CourseError(_busy(classroom, f"it was locked for {wait_s:g} s", retry)) from error
        raise CourseError(
            f"{file} cannot be used: {line(said)}. The results are safe. When the file is broken, bring it "
            "back from a backup, or move it away: the next `grader grade` makes a new one, without what "
            "was typed by hand."
        ) from error


def _busy(classroom: Classroom, why: str, retry: str) -> str:
    return (
        f"{classroom.folder / FILE} is busy: {why}. The results are safe. Close what holds it (another "
        f"`grader`, a database browser), then run `{retry}` again: it only brings the gradebook up to date."
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep nbgrader's warnings and its logged tracebacks to itself; what matters is raised."""
    log = logging.getLogger("tornado.application")
    before, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = before
