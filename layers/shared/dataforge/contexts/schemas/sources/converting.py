"""Reads SQL and DBML into the target format: what PostgreSQL makes of the text in a scratch schema is the answer.

The target that comes out is made once more, and must become the same schema: nothing that the format cannot say is lost
without a word.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import AsyncConnection

from dataforge.contexts.schemas.designs.domain.document import InvalidTarget, parse_design
from dataforge.contexts.schemas.designs.domain.model import Named, Schema
from dataforge.contexts.schemas.designs.domain.writing import Document, to_document
from dataforge.contexts.schemas.designs.safety import ExpressionForbidden, check_expressions, forbidden_calls
from dataforge.contexts.schemas.plans.domain.diff import find_changes
from dataforge.contexts.schemas.plans.domain.scene import Options
from dataforge.contexts.schemas.plans.proof import Workshop, scratch_schema
from dataforge.contexts.schemas.sources.domain.dbml import Reading
from dataforge.contexts.schemas.sources.domain.script import Script
from dataforge.contexts.schemas.sources.domain.source import MOST_PROBLEMS, Remark, refusal
from dataforge.kernel.errors import ValidationFailed
from dataforge.kernel.texts import Text

MOST_SECONDS = 20.0
_FOLLOWING = frozenset({"42P01", "42703", "42704"})  # undefined table, column, object: after a refused statement


class NotExpressible(ValidationFailed):
    """The text describes something that the target format cannot say."""

    code = "not_expressible"
    title = "The target format cannot say all of this"


@dataclass(frozen=True, slots=True)
class Converted:
    """A schema that was read from a text: as PostgreSQL prints it, in the target format, and what was left out."""

    schema: Schema
    target: Document
    warnings: Sequence[Remark] = ()


async def run_script(
    connection: AsyncConnection[Any], script: Script, namespace: str, named: Sequence[Named] = ()
) -> Converted:
    """What a script makes; leaves the database as it was.

    Things that were deployed under the same name keep their stable ids (`named`). Raises InvalidSource,
    ExpressionForbidden, NotExpressible.
    """
    await _check_calls(connection, script)
    try:
        async with asyncio.timeout(MOST_SECONDS), scratch_schema(connection) as workshop:
            async with workshop.savepoint():
                schema = await _run(connection, workshop, script)
            target = to_document(schema, namespace, named)
            await _prove(workshop, schema, target)
    except TimeoutError as error:
        message = Text(
            "the statements take more than {most_seconds:.0f} s in an empty schema", most_seconds=MOST_SECONDS
        )
        raise refusal(script.source.member, [Remark(1, 1, message, "too_slow")]) from error
    return Converted(schema, target, script.source.warnings)


async def run_document(
    connection: AsyncConnection[Any], reading: Reading, namespace: str, named: Sequence[Named] = ()
) -> Converted:
    """What DBML that was read makes; leaves the database as it was. Raises InvalidSource."""
    try:
        design = parse_design(reading.document)
        async with scratch_schema(connection) as workshop:
            schema = await workshop.compile(design)
    except (InvalidTarget, ExpressionForbidden) as error:
        remarks = [reading.remark(item.pointer, item.message, item.rule) for item in error.violations]
        raise refusal(reading.source.member, remarks) from error
    warnings = [reading.remark(item.pointer, item.message, item.rule) for item in design.warnings]
    return Converted(schema, to_document(schema, namespace, named), [*reading.source.warnings, *warnings])


async def _check_calls(connection: AsyncConnection[Any], script: Script) -> None:
    """Judge what is called before anything is run: defaults of added columns are computed at once."""
    names = {name for name, _ in script.calls}
    forbidden = await forbidden_calls(connection, names) if names else set()
    for name, offset in script.calls:
        if name in forbidden:
            script.source.refuse(
                offset, Text("the function {name} is not allowed in schemas", name=name), "expression_forbidden"
            )
    script.source.raise_problems()


async def _run(connection: AsyncConnection[Any], workshop: Workshop, script: Script) -> Schema:
    data = script.source.data
    texts = [statement.sql(data) for statement in script.statements]
    remarks: list[Remark] = []
    for index, error in (await workshop.run_texts(texts))[:MOST_PROBLEMS]:
        if not remarks or error.sqlstate not in _FOLLOWING:
            remarks.append(_remark(error, script, index, workshop))
    if remarks:
        raise refusal(script.source.member, remarks)
    try:
        await check_expressions(connection, workshop.name)
    except ExpressionForbidden as error:
        violations = [replace(item, pointer=f"/{script.source.member}") for item in error.violations]
        raise ExpressionForbidden(error.detail, violations=violations) from error
    return await workshop.read()


def _remark(error: psycopg.Error, script: Script, index: int, workshop: Workshop) -> Remark:
    statement, source = script.statements[index], script.source
    position = error.diag.statement_position
    offset = statement.start if position is None else statement.place_of(source.data, int(position))
    words = [error.diag.message_primary, error.diag.message_detail, error.diag.message_hint]
    message = "; ".join(workshop.plain(word.rstrip(".")) for word in words if word)
    return Remark(*source.at(offset), f"PostgreSQL refuses it: {message}", "refused")


async def _prove(workshop: Workshop, schema: Schema, target: Document) -> None:
    """Raise NotExpressible unless the target becomes the schema."""
    try:
        again = await workshop.compile(parse_design(target))
    except InvalidTarget as error:
        message = Text("The target format cannot say all of this: {detail}", detail=error.detail)
        raise NotExpressible(message, violations=error.violations) from error
    if again.fingerprint != schema.fingerprint:
        left = sorted({f"{item.op} {item.object}" for item in find_changes(again, schema, Options(online=False))})
        message = Text(
            "The target format cannot say all of this; what would be lost: {left}.", left=", ".join(left[:20])
        )
        raise NotExpressible(message, facts={"lost": left})
