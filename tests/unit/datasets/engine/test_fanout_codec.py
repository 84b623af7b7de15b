"""Tasks and answers of the range fan-out as bytes: what goes in comes out, and nothing else goes in."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.datasets.engine.fanout_codec import (
    decode_answer,
    decode_task,
    encode_answer,
    encode_task,
    task_id,
)
from dataforge.contexts.datasets.engine.fanout_tasks import RangeAnswer, RangeRows, RangeTask, RangeUnsuited, Stage
from dataforge.contexts.datasets.errors import CorruptStorage, EncodingRefused, SchemaMismatch
from dataforge.contexts.datasets.model.columns import Column, TableSchema
from dataforge.contexts.datasets.model.imports import RejectedRow
from dataforge.contexts.datasets.parsing.csv_block import BlockPlan
from dataforge.contexts.datasets.parsing.ranges import ByteRange, RangeEvidence, RangeProblem, RangeScan, Rejections
from dataforge.contexts.datasets.parsing.splitting import Dialect
from dataforge.kernel.errors import DataForgeError, Violation

TEXT = st.text(max_size=12)
TEXTS = st.lists(TEXT, max_size=4).map(tuple)
PLACE = st.integers(-1, 1 << 45)
WHOLE = st.integers(0, 1 << 45)

plans = st.builds(
    BlockPlan,
    dialect=st.builds(Dialect, delimiter=TEXT, quote=TEXT, escape=TEXT, newline=TEXT),
    columns=WHOLE,
    kinds=TEXTS,
    declared=st.frozensets(WHOLE, max_size=4),
    required=st.frozensets(WHOLE, max_size=4),
    null_values=TEXTS,
    names=TEXTS,
    most_rejected=WHOLE,
)
schemas = st.builds(
    TableSchema,
    columns=st.lists(st.builds(Column, id=TEXT, name=TEXT, type=TEXT, nullable=st.booleans()), max_size=4).map(tuple),
    key=TEXTS,
)
tasks = st.builds(
    RangeTask,
    stage=st.sampled_from(Stage),
    key=TEXT,
    name=TEXT,
    parts=st.lists(st.builds(ByteRange, start=WHOLE, stop=WHOLE), max_size=4).map(tuple),
    plan=plans,
    schema=schemas,
)
rejections = st.builds(
    Rejections,
    count=WHOLE,
    rows=st.lists(st.builds(RejectedRow, row=WHOLE, reason=TEXT, text=TEXT), max_size=3).map(tuple),
)
evidence = st.builds(
    RangeEvidence,
    kinds=TEXTS,
    records=WHOLE,
    rejections=st.lists(rejections, max_size=3).map(tuple),
    stray=st.booleans(),
    problem=st.none() | st.builds(RangeProblem, code=TEXT, row=WHOLE, text=TEXT),
)
answers: st.SearchStrategy[RangeAnswer] = st.one_of(
    st.builds(RangeScan, odd=st.booleans(), outside=PLACE, inside=PLACE),
    evidence,
    st.builds(
        RangeRows,
        manifest=st.binary(max_size=60),
        evidence=evidence,
        found_stored=st.lists(st.text("0123456789abcdef", min_size=64, max_size=64), max_size=3).map(tuple),
    ),
    st.builds(RangeUnsuited, reason=TEXT),
)


@given(tasks)
def test_a_task_comes_back_as_it_went(task: RangeTask) -> None:
    data = encode_task(task)

    assert decode_task(data) == task
    assert encode_task(decode_task(data)) == data


@given(answers)
def test_an_answer_comes_back_as_it_went(answer: RangeAnswer) -> None:
    assert decode_answer(encode_answer(answer)) == answer


@given(st.sampled_from([EncodingRefused, SchemaMismatch]), TEXT, st.dictionaries(TEXT, st.none() | WHOLE | TEXT))
def test_a_domain_error_comes_back_as_its_class(
    error: type[DataForgeError], detail: str, facts: dict[str, object]
) -> None:
    found = decode_answer(encode_answer(error(detail, facts=facts, violations=[Violation("/a", detail, "rule")])))

    assert isinstance(found, DataForgeError)
    assert (type(found), found.detail, found.facts) == (error, detail, facts)
    assert found.violations == (Violation("/a", detail, "rule"),)


TASK = RangeTask(
    Stage.WRITE,
    "uploads/1/2/f.csv",
    "f.csv",
    (ByteRange(0, 10), ByteRange(10, 20)),
    BlockPlan(Dialect(), 1, ("int",), names=("id",)),
    TableSchema((Column("a1", "id", "int"),), ("a1",)),
)


def changed(data: bytes, change: dict[str, Any]) -> bytes:
    line, _, rest = data.partition(b"\n")
    wire = {**json.loads(line), **change}
    return json.dumps({name: value for name, value in wire.items() if value != "gone"}).encode() + b"\n" + rest


@pytest.mark.parametrize(
    "change",
    [{"v": 1}, {"v": "gone"}, {"v": "1"}, {"more": 1}, {"stage": "other"}, {"parts": [[1]]}, {"key": 7}, {"plan": {}}],
)
def test_a_task_of_another_version_or_shape_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(CorruptStorage, match="not one of version 2"):
        decode_task(changed(encode_task(TASK), change))


@pytest.mark.parametrize(
    "change",
    [{"v": 1}, {"v": "gone"}, {"more": 1}, {"answer": "other"}, {"answer": "gone"}, {"odd": 1}, {"outside": 1.5}],
)
def test_an_answer_of_another_version_or_shape_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(CorruptStorage, match="not one of version 2"):
        decode_answer(changed(encode_answer(RangeScan(odd=True, outside=1, inside=2)), change))


@pytest.mark.parametrize(
    "data",
    [
        encode_answer(RangeRows(b"manifest", RangeEvidence(("int",), 3)))[:-1],
        encode_answer(RangeRows(b"manifest", RangeEvidence(("int",), 3))) + b"x",
        encode_answer(RangeUnsuited("why")) + b"x",
        b"",
    ],
)
def test_an_answer_that_is_cut_or_longer_than_it_says_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptStorage):
        decode_answer(data)


def test_an_error_that_nobody_knows_is_refused() -> None:
    data = changed(encode_answer(EncodingRefused("x")), {"code": "no_such_code"})

    with pytest.raises(CorruptStorage, match="no error with the code"):
        decode_answer(data)


def test_a_task_is_named_by_its_bytes() -> None:
    one, other = encode_task(TASK), encode_task(decode_task(encode_task(TASK)))

    assert task_id(one) == task_id(other)
    assert task_id(one) != task_id(one.replace(b"f.csv", b"g.csv"))
