"""The gradebook: a projection of the results plus what people typed.

A lab is an assignment with one notebook of the same name; a check is a grade cell and a comment cell of the
check's name. What a person typed, points or a comment, stays theirs as long as the submission is the same;
of a newer submission it is put aside (`grader_by_hand`) and a person is asked to look again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC
from typing import Any

from grader.audit import BY_HAND, GRADED, LOST, Audit
from grader.audit import FILE as LOG
from grader.bookfile import WAIT_S, add_comment, add_grade, called, is_there, open_book, sql, writer
from grader.classroom import Classroom
from grader.deadlines import Lateness, lateness
from grader.errors import CourseError
from grader.manifest import Lab, find_lab
from grader.marks import Mark, Row
from grader.receipts import Receipt, newest
from grader.regrade import Regraded, compare, fallen, losing
from grader.results import CheckResult, Result
from grader.runs import is_undecided
from grader.texts import lesson, line


def project(
    classroom: Classroom,
    lab: Lab,
    results: Mapping[str, Result],
    *,
    wait_s: float = WAIT_S,
    lower: bool = True,
    why: str = "",
) -> list[Regraded]:
    """Bring the gradebook up to date with `results`, by learner; again with the same ones changes nothing.

    Each change of what counts is a line of the audit log. Without `lower` a grade that would fall for the
    very same work stays as it is; those are returned. `why` is said in the log.

    Who is in the log and not in the gradebook, as it was lost, gets back what was typed.

    Raises:
        CourseError: grades would fall because the lab lost checks, or from what the log says of a gradebook
            that was lost, and `lower` does not let them.
        CourseError: another program holds the gradebook, or it cannot be written. The results are safe.
    """
    receipts = newest(classroom, lab.id)
    with writer(classroom, lab, wait_s), open_book(classroom, wait_s, f"grader grade {lab.number}") as book:
        for learner in classroom.roster.values():
            first, last = _names(learner.name)
            book.update_or_create_student(
                learner.id, first_name=first, last_name=last, email=_no_html(learner.email)
            )
        audit, before = Audit(classroom), _rows_before(book, lab, receipts)
        kept = [] if lower else [one for one in compare(lab, results, before) if one.falls]
        losers = losing(lab, results, before)
        lost = audit.rows(lab.id, receipts.keys() - {row.learner for row in before})
        if not lower:
            _refuse_lost_checks(lab, [*kept, *losers])
            _refuse_fall_from_log(lab, fallen(results, lost))
        _bring_back_from_log(book, lost)
        for row in before:
            audit.note(BY_HAND, row)
        cells = _lay_out(book, classroom, lab)
        falling = {one.learner for one in kept}
        for name, result in results.items():
            if name in receipts and receipts[name].snapshot == result.snapshot and name not in falling:
                _Page(book, lab, cells, receipts[name], result).write()
                submission = book.find_submission(lab.id, name)
                now = _row(lab.release, book, submission.assignment, name, submission, receipts[name])
                audit.note(GRADED, now, result, why=why)
        for name in (one.learner for one in losers):
            submission = book.find_submission(lab.id, name)
            now = _row(lab.release, book, submission.assignment, name, submission, receipts.get(name))
            audit.note(LOST, now, why=why)
        return kept


def rows(classroom: Classroom, *, wait_s: float = WAIT_S) -> list[Row]:
    """Every learner of the roster with every lab of the gradebook, in order of lab and learner.

    Raises:
        CourseError: the gradebook is not there, cannot be read, or is held by another program.
    """
    if not is_there(classroom):
        raise CourseError(f"{called(classroom)} is not there yet. Run `grader grade LAB` first.")
    with open_book(classroom, wait_s) as book:
        found = []
        assignments = sorted(book.assignments, key=lambda one: str(one.name))
        labs = {str(one.name) for one in assignments} | classroom.deadlines.keys()
        handed = {lab: newest(classroom, lab) for lab in labs}
        late = {name: _lateness(classroom, name, handed) for name in classroom.roster}
        for assignment in assignments:
            receipts, release = handed[str(assignment.name)], _release(classroom, str(assignment.name))
            submitted = {one.student.id: one for one in assignment.submissions}
            for name in sorted(classroom.roster.keys() | submitted.keys()):
                row = _row(release, book, assignment, name, submitted.get(name), receipts.get(name))
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
            notebook.flagged = False
        self._bring_back(notebook)
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
        sql(
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
        have = {one.cell_id for one in (*notebook.grades, *notebook.comments)}
        for graded, commented in self.cells.values():
            if graded.id not in have:
                add_grade(self.book, graded.id, notebook)
            if commented.id not in have:
                add_comment(self.book, commented.id, notebook)
        self.book.db.flush()

    def _bring_back(self, notebook: Any) -> None:
        """Give back what a person had typed for this very snapshot, and for a check that is there.

        Another snapshot came between, or a release without the check; what is for a check that is still
        gone stays where it is.
        """
        key = {"learner": self.receipt.learner, "lab": self.lab.id, "snapshot": self.result.snapshot}
        where = "FROM grader_by_hand WHERE learner = :learner AND lab = :lab AND snapshot = :snapshot"
        grades = {grade.name: grade for grade in notebook.grades}
        comments = {comment.name: comment for comment in notebook.comments}
        typed = sql(self.book, f"SELECT check_id, points, extra, comment {where}", **key)
        for check, points, extra, comment in typed:
            if check in grades:
                grades[check].manual_score, grades[check].extra_credit = points, extra
                comments[check].manual_comment = comment
                sql(self.book, f"DELETE {where} AND check_id = :check_id", **key, check_id=check)

    def _earlier(self) -> dict[str, str]:
        """By check, what a person had given to an earlier submission of this learner."""
        found = sql(
            self.book,
            "SELECT check_id, snapshot, points, comment FROM grader_by_hand "
            "WHERE learner = :learner AND lab = :lab AND snapshot != :snapshot ORDER BY nr",
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
        given = (grade.manual_score, grade.extra_credit, typed)
        _keep_aside(book, learner, lab, snapshot, grade.name, *given)
        grade.manual_score = grade.extra_credit = None
        if comment:
            comment.manual_comment = None


def _keep_aside(
    book: Any,
    learner: str,
    lab: str,
    snapshot: str,
    check: str,
    points: float | None,
    extra: float | None,
    comment: str,
) -> None:
    sql(
        book,
        "INSERT INTO grader_by_hand VALUES (:learner, :lab, :snapshot, :check_id, :points, :extra, :comment, "
        "(SELECT COALESCE(MAX(nr), 0) + 1 FROM grader_by_hand)) "
        "ON CONFLICT (learner, lab, snapshot, check_id) "
        "DO UPDATE SET points = :points, extra = :extra, comment = :comment, nr = excluded.nr",
        learner=learner,
        lab=lab,
        snapshot=snapshot,
        check_id=check,
        points=points,
        extra=extra,
        comment=comment,
    )


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


def _rows_before(book: Any, lab: Lab, receipts: Mapping[str, Receipt]) -> list[Row]:
    """What the gradebook holds of a lab before anything is written, for everybody with a grade there."""
    found = []
    for assignment in book.assignments:
        for submission in assignment.submissions if assignment.name == lab.id else ():
            name = str(submission.student.id)
            found.append(_row(lab.release, book, assignment, name, submission, receipts.get(name)))
    return [row for row in found if row.snapshot]


def _refuse_lost_checks(lab: Lab, falling: Sequence[Regraded]) -> None:
    """A check that the lab no longer has leaves the gradebook for everybody, so no grade could stay."""
    command, known = f"grader regrade {lab.number}", {check.id for check in lab.checks}
    gone = {one.learner: {change.check for change in one.changes} - known for one in falling}
    if lost := sorted(set().union(*gone.values())):
        raise CourseError(
            f"{len(falling)} grades would fall, as {lab.id} no longer has {', '.join(map(line, lost))}: "
            f"{_named(falling)}. Nothing was written; the results are safe. `{command} --dry-run` shows who "
            f"and why; `{command} --lower` lets them fall."
        )


def _refuse_fall_from_log(lab: Lab, falling: Sequence[Regraded]) -> None:
    """Nobody's grade falls because the gradebook was lost: the log has it."""
    if falling:
        raise CourseError(
            f"{len(falling)} grades would be lower than {LOG} says, and the gradebook does not have them: "
            f"{_named(falling)}. Nothing was written; the results are safe. Put the gradebook back "
            f"from a backup if you can; `grader grade {lab.number} --lower` lets them fall."
        )


def _named(falling: Sequence[Regraded]) -> str:
    return line(", ".join(f"{one.learner} {one.points:g} → {one.after:g}" for one in falling), longest=2000)


def _bring_back_from_log(book: Any, rows: Sequence[Row]) -> None:
    """Put what the log has as typed where the learner's page looks for it."""
    for row in rows:
        for check, mark in row.marks.items():
            _keep_aside(
                book, row.learner, row.lab, row.snapshot, check, mark.by_hand, mark.extra, mark.comment
            )


def _row(
    release: str, book: Any, assignment: Any, name: str, submission: Any, receipt: Receipt | None
) -> Row:
    """A learner's row; `release` is the lab's as it is now."""
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
    if known[1] != release:
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
    found = sql(
        book,
        "SELECT snapshot, lab_release FROM grader_projected WHERE learner = :learner AND lab = :lab",
        learner=learner,
        lab=lab,
    )
    return (str(found[0][0]), str(found[0][1])) if found else None
