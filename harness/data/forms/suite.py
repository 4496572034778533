"""Our own cases, so that they can be written in another form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.data.form import Row
from harness.data.sample import Sample
from harness.records.suite import Case


class SuiteCase:
    """A line of a suite's file of cases."""

    name = "suite"
    about = "cases of a suite"

    def matches(self, row: Row) -> bool:
        """Whether it has an id and an expectation."""
        return {"id", "expect"} <= row.keys()

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample of the case."""
        case = Case.model_validate(dict(row))
        answers = case.expect.get("answers")
        alone = set(case.expect) <= {"answers", "match"}
        yield Sample(
            case.messages,
            tuple(map(str, answers)) if answers and alone else (),
            expect=case.expect,
            id=case.id,
            group=case.group,
            tags=case.tags,
            lost=("critical",) if case.critical else (),
        )

    def write(self, sample: Sample) -> dict[str, Any]:
        """The line of a case."""
        case = sample.case(sample.id or "case")
        row = case.model_dump(mode="json", exclude={"critical"})
        return row if row["tags"] else {key: row[key] for key in row if key != "tags"}
