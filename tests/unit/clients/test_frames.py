"""Values, frames and progress without a server."""

import builtins
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from dataforge_client import Missing, Result
from dataforge_client.frames import arrow_of, need, origin_of, pandas_of, parquet_bytes
from dataforge_client.models import Job, parse
from dataforge_client.progress import shown
from dataforge_client.session import Retries, Session, _retry_after


@dataclass(frozen=True)
class Inner:
    at: datetime | None


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner
    many: list[Inner]
    rest: dict[str, Any]


def test_json_becomes_values_and_new_members_are_left_out() -> None:
    at = "2026-05-04T10:00:00Z"
    given = {"name": "a", "inner": {"at": at}, "many": [{"at": None}, {"at": at}], "rest": {"x": [1]}, "new": 1}

    value = parse(Outer, given)

    moment = datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert value == Outer("a", Inner(moment), [Inner(None), Inner(moment)], {"x": [1]})


def test_a_frame_remembers_where_it_came_from_and_its_file_does_not() -> None:
    table = pa.table({"n": [1, None], "s": ["a", "b"]})

    frame = pandas_of(arrow_of(parquet_bytes(table)), {"commit_id": "c"})
    frame["n"] = 7

    assert origin_of(frame) == {"commit_id": "c"}
    assert origin_of(frame.copy()) == {"commit_id": "c"}
    assert origin_of([{"n": 1}]) == {}
    again = arrow_of(parquet_bytes(frame))
    assert (again.column_names, again.schema.metadata) == (["n", "s"], None)


def test_the_index_of_a_frame_is_no_column() -> None:
    frame = pd.DataFrame({"n": [3, 1, 2]}).sort_values("n")

    assert arrow_of(parquet_bytes(frame)).to_pydict() == {"n": [1, 2, 3]}


def test_times_of_sql_are_times() -> None:
    columns = [{"name": "at", "type": "TIMESTAMP"}, {"name": "n", "type": "BIGINT"}]

    result = Result({"columns": columns, "rows": [["2026-05-04T10:00:00", 1], [None, 2]]})

    assert len(result) == 2
    assert result.to_pandas()["at"].tolist()[0] == pd.Timestamp(2026, 5, 4, 10)
    assert pa.types.is_timestamp(result.to_arrow().schema.field("at").type)


def test_a_missing_package_is_named_with_how_to_install_it() -> None:
    with pytest.raises(Missing, match=r"pip install 'dataforge-client\[polars\]'"):
        need("a_package_that_is_not_there", "polars")


def test_a_job_has_ended_or_not() -> None:
    states = ("pending", "running", "completed", "failed", "cancelled")
    texts = dict.fromkeys(("id", "dataset_id", "run_type"), "x")
    empty = dict.fromkeys(("source_commit_id", "output_summary", "error", "error_message", "completed_at"))
    given = {**texts, **empty, "progress": {}, "created_at": "2026-05-04T10:00:00Z"}

    assert [parse(Job, given | {"status": state}).ended for state in states] == [False, False, True, True, True]


def test_progress_is_a_bar_a_function_or_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    calls: list[tuple[str, int, int | None]] = []

    for progress in (lambda *call: calls.append(call), False, None, True):
        with shown(progress) as report:
            report("uploading", 1, 2)
            report("uploading", 2, 2)

    assert calls == [("uploading", 1, 2), ("uploading", 2, 2)]
    assert "uploading" in capsys.readouterr().err
    real = builtins.__import__

    def without_rich(name: str, *rest: Any) -> Any:
        if name.startswith("rich"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_rich)
    with shown(True) as report:
        report("uploading", 1, None)
    assert not capsys.readouterr().err


def test_parameters_are_spelled_as_the_api_reads_them() -> None:
    session = Session("https://api.example.org/", None, Retries())  # type: ignore[arg-type]

    address = session.url("/api/x", {"q": "a b", "n": 1, "on": True, "many": ["x", "y"], "none": None})

    assert address == "https://api.example.org/api/x?q=a+b&n=1&on=true&many=x&many=y"


def test_waiting_is_what_was_asked_for_or_longer_each_time() -> None:
    retries = Retries(longest_wait=3.0)

    assert retries.wait(9, 2.0) == 2.0
    assert 0.125 <= retries.wait(0, None) <= 0.25
    assert 1.5 <= retries.wait(30, None) <= 3.0
    assert _retry_after("7") == 7
    assert _retry_after(None) is None
    assert _retry_after("soon") is None
    assert _retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_a_terminal_is_looked_at(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    with shown(None) as report:
        report("downloading", 5, 10)

    assert "downloading" in capsys.readouterr().err
