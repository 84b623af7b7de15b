"""What a worker does with one range of a large CSV file: the three stages, their tasks and their answers.

A task says what a stage does with all its ranges; a worker takes one range of it. Nothing here depends on who asks:
the coordinator on a pool of processes, or a queue (see `fanout_codec` for both as bytes).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from dataforge.contexts.datasets.engine.keys import encode_keys, strictly_increasing
from dataforge.contexts.datasets.engine.manifest_codec import encode_manifest
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.engine.writer import TableWriter
from dataforge.contexts.datasets.model.columns import TableSchema
from dataforge.contexts.datasets.parsing.csv_block import BlockPlan, ParsedBlock
from dataforge.contexts.datasets.parsing.csv_table import work
from dataforge.contexts.datasets.parsing.ranges import (
    ByteRange,
    RangeEvidence,
    RangeScan,
    range_evidence,
    scan_range,
)
from dataforge.contexts.datasets.parsing.sources import FileSource


class Stage(StrEnum):
    """The steps of a fan-out; each needs all answers of the one before."""

    SCAN = "scan"
    EVIDENCE = "evidence"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class RangeTask:
    """One stage over all ranges of a file: `key` is where workers find the file, `name` its label."""

    stage: Stage
    key: str
    name: str
    parts: tuple[ByteRange, ...]
    plan: BlockPlan
    schema: TableSchema


@dataclass(frozen=True, slots=True)
class RangeRows:
    """A range is stored: the bytes of its manifest, what its rows say, and the addresses of its packs that were
    stored already.

    When the evidence ends early, so does the manifest.
    """

    manifest: bytes
    evidence: RangeEvidence
    found_stored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RangeUnsuited:
    """A range cannot be stored apart from the others; the file is to be read sequentially, and why."""

    reason: str


RangeAnswer = RangeScan | RangeEvidence | RangeRows | RangeUnsuited
OpenSource = Callable[[str, str], FileSource]

# Chunks are encoded while the next ones are parsed.
_ENCODING = 2
UNSORTED = "its rows are not in key order and had to be sorted"
UNCOVERED = "one of its ranges needs wider types than its values had shown"


def do_range(task: RangeTask, number: int, open_source: OpenSource, tables: TableStore) -> RangeAnswer:
    """The answer of one range, always the same for the same bytes. Raises ImportRefused and its kin, ObjectMissing."""
    source, part = open_source(task.key, task.name), task.parts[number]
    if task.stage is Stage.SCAN:
        return scan_range(source, part, task.plan.dialect)
    if task.stage is Stage.EVIDENCE:
        return range_evidence(source, part, task.plan)
    try:
        with ThreadPoolExecutor(_ENCODING, thread_name_prefix="range") as pool:
            return _write(source, part, task, tables, pool)
    finally:
        tables.settle()


class _Unsuited(Exception):
    """Why the range cannot be stored apart from the others."""


def _write(
    source: FileSource, part: ByteRange, task: RangeTask, tables: TableStore, pool: Executor
) -> RangeRows | RangeUnsuited:
    schema = task.schema
    writer = TableWriter(tables, schema, pool=pool)
    last = b""

    def store(data: bytes) -> ParsedBlock:
        nonlocal last
        parsed, made = work(data, task.plan, schema)
        if made is None:
            raise _Unsuited(UNCOVERED)
        table, hashes = made
        if schema.key and table.num_rows:
            keys = table.select(list(schema.key))
            ends = encode_keys(keys.take(pa.array([0, table.num_rows - 1])), schema)
            if ends[0] <= last or not strictly_increasing(keys, schema):
                raise _Unsuited(UNSORTED)
            last = ends[1]
        writer.add(table, hashes)
        return parsed

    try:
        evidence = range_evidence(source, part, task.plan, store)
    except _Unsuited as unsuited:
        return RangeUnsuited(str(unsuited))
    return RangeRows(encode_manifest(writer.finish()).data, evidence)
