"""Selections as they are kept with plans and jobs."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from dataforge.contexts.lrs.selections.domain import Selection

_FIRST = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-1)))


@pytest.mark.parametrize("moment", [_FIRST, _LAST, datetime(2026, 5, 4, 10, tzinfo=UTC)])
def test_a_bound_is_read_as_it_was_written_even_where_utc_has_no_such_year(moment: datetime) -> None:
    assert Selection.from_json(Selection(since=moment).to_json()).since == moment
    assert Selection.from_json(Selection(until=moment).to_json()).until == moment
