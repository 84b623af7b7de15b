"""An SQL text as what is run of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from dataforge.contexts.schemas.sources.domain.judging import calls_of, judge, prepare
from dataforge.contexts.schemas.sources.domain.moving import described_schema, move
from dataforge.contexts.schemas.sources.domain.source import Source
from dataforge.contexts.schemas.sources.domain.statements import ReadStatement, read_statements
from dataforge.kernel.texts import Text

MAX_RUN = 10_000


@dataclass(frozen=True, slots=True)
class Script:
    """The statements to run, the text they come from, and where it calls which functions."""

    source: Source
    statements: Sequence[ReadStatement]
    calls: Sequence[tuple[str, int]]


def read_script(text: str) -> Script:
    """Read a text of SQL; raises InvalidSource with all that is wrong in it."""
    source = Source(text, "sql")
    every = read_statements(source)
    run = [statement for statement in every if judge(statement, source)]
    schema = described_schema(every)
    for statement in run:
        prepare(statement)
        move(statement, schema, source)
    if len(run) > MAX_RUN:
        source.refuse(run[MAX_RUN].start, Text("{max_run:,} statements are the most", max_run=MAX_RUN), "too_long")
    source.raise_problems()
    return Script(source, run, [call for statement in run for call in calls_of(statement)])
