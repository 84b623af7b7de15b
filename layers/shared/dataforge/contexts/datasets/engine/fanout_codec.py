"""Tasks and answers of the range fan-out as versioned bytes: what the queue and the objects beside it carry.

A task or an answer is one line of JSON; the manifest of stored rows follows its line as it is. The codec is strict:
unknown versions and members, missing ones and values of another type are refused, never guessed.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from dataforge.contexts.datasets.engine.fanout_tasks import (
    RangeAnswer,
    RangeRows,
    RangeTask,
    RangeUnsuited,
    Stage,
)
from dataforge.contexts.datasets.errors import CorruptStorage
from dataforge.contexts.datasets.model.columns import Column, TableSchema
from dataforge.contexts.datasets.model.imports import RejectedRow
from dataforge.contexts.datasets.parsing.csv_block import BlockPlan
from dataforge.contexts.datasets.parsing.ranges import (
    ByteRange,
    RangeEvidence,
    RangeProblem,
    RangeScan,
    Rejections,
)
from dataforge.contexts.datasets.parsing.splitting import Dialect
from dataforge.kernel.errors import DataForgeError, Violation, registered_errors

VERSION: Final = 2
_SHA256 = r"^[0-9a-f]{64}$"


class _Wire(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Dialect(_Wire):
    delimiter: str
    quote: str
    escape: str
    newline: str


class _Plan(_Wire):
    dialect: _Dialect
    columns: int
    kinds: tuple[str, ...]
    declared: tuple[int, ...]
    required: tuple[int, ...]
    null_values: tuple[str, ...]
    names: tuple[str, ...]
    most_rejected: int


class _Column(_Wire):
    id: str
    name: str
    type: str
    nullable: bool


class _Schema(_Wire):
    columns: tuple[_Column, ...]
    key: tuple[str, ...]


class _Task(_Wire):
    v: Literal[2]
    stage: Literal["scan", "evidence", "write"]
    key: str
    name: str
    parts: tuple[tuple[int, int], ...]
    plan: _Plan
    table: _Schema


class _Scan(_Wire):
    v: Literal[2]
    answer: Literal["scan"]
    odd: bool
    outside: int
    inside: int


class _Row(_Wire):
    row: int
    reason: str
    text: str


class _Rejections(_Wire):
    count: int
    rows: tuple[_Row, ...]


class _Problem(_Wire):
    code: str
    row: int
    text: str


class _Found(_Wire):
    kinds: tuple[str, ...]
    records: int
    rejections: tuple[_Rejections, ...]
    stray: bool
    problem: _Problem | None


class _Evidence(_Wire):
    v: Literal[2]
    answer: Literal["evidence"]
    found: _Found


class _Rows(_Wire):
    v: Literal[2]
    answer: Literal["rows"]
    size: int
    found: _Found
    found_stored: tuple[Annotated[str, Field(pattern=_SHA256)], ...]


class _Unsuited(_Wire):
    v: Literal[2]
    answer: Literal["unsuited"]
    reason: str


class _Failed(_Wire):
    v: Literal[2]
    answer: Literal["failed"]
    code: str
    detail: str
    facts: dict[str, object]
    violations: tuple[tuple[str, str, str], ...]


_AnyAnswer = Annotated[_Scan | _Evidence | _Rows | _Unsuited | _Failed, Field(discriminator="answer")]
_ANSWERS: TypeAdapter[_Scan | _Evidence | _Rows | _Unsuited | _Failed] = TypeAdapter(_AnyAnswer)


def encode_task(task: RangeTask) -> bytes:
    """The bytes of a task; equal tasks have equal bytes."""
    plan, dialect = task.plan, task.plan.dialect
    wire = _Task(
        v=VERSION,
        stage=task.stage.value,
        key=task.key,
        name=task.name,
        parts=tuple((part.start, part.stop) for part in task.parts),
        plan=_Plan(
            dialect=_Dialect(
                delimiter=dialect.delimiter, quote=dialect.quote, escape=dialect.escape, newline=dialect.newline
            ),
            columns=plan.columns,
            kinds=plan.kinds,
            declared=tuple(sorted(plan.declared)),
            required=tuple(sorted(plan.required)),
            null_values=plan.null_values,
            names=plan.names,
            most_rejected=plan.most_rejected,
        ),
        table=_Schema(
            columns=tuple(
                _Column(id=column.id, name=column.name, type=column.type, nullable=column.nullable)
                for column in task.schema.columns
            ),
            key=task.schema.key,
        ),
    )
    return wire.model_dump_json().encode()


def decode_task(data: bytes) -> RangeTask:
    """The task that `encode_task` wrote; raises CorruptStorage on anything else."""
    try:
        wire = _Task.model_validate_json(data)
    except ValidationError as error:
        raise _corrupt("task", error) from error
    plan = wire.plan
    return RangeTask(
        Stage(wire.stage),
        wire.key,
        wire.name,
        tuple(ByteRange(start, stop) for start, stop in wire.parts),
        BlockPlan(
            Dialect(plan.dialect.delimiter, plan.dialect.quote, plan.dialect.escape, plan.dialect.newline),
            plan.columns,
            plan.kinds,
            frozenset(plan.declared),
            frozenset(plan.required),
            plan.null_values,
            plan.names,
            plan.most_rejected,
        ),
        TableSchema(
            tuple(Column(column.id, column.name, column.type, column.nullable) for column in wire.table.columns),
            wire.table.key,
        ),
    )


def task_id(data: bytes) -> str:
    """32 hex digits that name a task by its bytes: answers of another plan are never taken for its own."""
    return hashlib.sha256(data).hexdigest()[:32]


def encode_answer(answer: RangeAnswer | DataForgeError) -> bytes:
    """The bytes of an answer, or of the domain error a range met."""
    if isinstance(answer, RangeRows):
        head = _Rows(
            v=VERSION,
            answer="rows",
            size=len(answer.manifest),
            found=_found_of(answer.evidence),
            found_stored=answer.found_stored,
        )
        return head.model_dump_json().encode() + b"\n" + answer.manifest
    return _wire_of(answer).model_dump_json().encode() + b"\n"


def _wire_of(answer: RangeScan | RangeEvidence | RangeUnsuited | DataForgeError) -> _Wire:
    if isinstance(answer, RangeScan):
        return _Scan(v=VERSION, answer="scan", odd=answer.odd, outside=answer.outside, inside=answer.inside)
    if isinstance(answer, RangeUnsuited):
        return _Unsuited(v=VERSION, answer="unsuited", reason=answer.reason)
    if isinstance(answer, DataForgeError):
        violations = tuple((one.pointer, one.message, one.rule) for one in answer.violations)
        return _Failed(
            v=VERSION,
            answer="failed",
            code=answer.code,
            detail=answer.detail,
            facts=answer.facts,
            violations=violations,
        )
    return _Evidence(v=VERSION, answer="evidence", found=_found_of(answer))


def _found_of(evidence: RangeEvidence) -> _Found:
    problem = evidence.problem
    return _Found(
        kinds=evidence.kinds,
        records=evidence.records,
        rejections=tuple(
            _Rejections(
                count=part.count,
                rows=tuple(_Row(row=row.row, reason=row.reason, text=row.text) for row in part.rows),
            )
            for part in evidence.rejections
        ),
        stray=evidence.stray,
        problem=None if problem is None else _Problem(code=problem.code, row=problem.row, text=problem.text),
    )


def decode_answer(data: bytes) -> RangeAnswer | DataForgeError:
    """The answer or the error that `encode_answer` wrote; raises CorruptStorage on anything else."""
    line, _, rest = data.partition(b"\n")
    try:
        wire = _ANSWERS.validate_json(line)
    except ValidationError as error:
        raise _corrupt("answer", error) from error
    if len(rest) != (wire.size if isinstance(wire, _Rows) else 0):
        message = f"An answer of the range fan-out has {len(rest)} bytes after its line."
        raise CorruptStorage(message)
    if isinstance(wire, _Scan):
        return RangeScan(wire.odd, wire.outside, wire.inside)
    if isinstance(wire, _Rows):
        return RangeRows(rest, _evidence_of(wire.found), wire.found_stored)
    if isinstance(wire, _Unsuited):
        return RangeUnsuited(wire.reason)
    if isinstance(wire, _Failed):
        violations = [Violation(*one) for one in wire.violations]
        return error_class(wire.code)(wire.detail, facts=wire.facts, violations=violations)
    return _evidence_of(wire.found)


def _evidence_of(wire: _Found) -> RangeEvidence:
    problem = wire.problem
    return RangeEvidence(
        wire.kinds,
        wire.records,
        tuple(
            Rejections(part.count, tuple(RejectedRow(row.row, row.reason, row.text) for row in part.rows))
            for part in wire.rejections
        ),
        wire.stray,
        None if problem is None else RangeProblem(problem.code, problem.row, problem.text),
    )


def error_class(code: str) -> type[DataForgeError]:
    """The class of errors with this code; raises CorruptStorage for a code nobody has."""
    found = registered_errors().get(code)
    if found is None:
        message = f"There is no error with the code {code!r:.80}."
        raise CorruptStorage(message)
    return found


def _corrupt(what: str, error: ValidationError) -> CorruptStorage:
    first = error.errors(include_url=False, include_input=False)[0]
    where = "/".join(str(part) for part in first["loc"])
    return CorruptStorage(f"The {what} of a range is not one of version {VERSION}: {where}: {first['msg']}.")
