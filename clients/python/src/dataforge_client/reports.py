"""Reports as DataFrames, with the moment that they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, urlsplit

from dataforge_client.flows import Bound, Driver, Flow, M, Reply, operation, work
from dataforge_client.frames import PARQUET, arrow_of, need, pandas_of, polars_of
from dataforge_client.session import Params, Session, segment

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

When = datetime | str | None


class Report(Bound[M]):
    """A report that is asked for when it is read: `client.reports.cohort(cohort_id).to_pandas()`.

    All pages of an answer rest on the same watermark; send it as `as_of` to have the same numbers again.
    """

    def __init__(self, driver: Driver, session: Session, name: str, path: str, params: Params) -> None:
        self._driver, self._session = driver, session
        self.name, self._path, self._params = name, path, params

    def __repr__(self) -> str:
        return f"<Report {self.name}>"

    def _pages(self, media_type: str) -> Flow[list[Reply]]:
        replies, params = [], dict(self._params)
        while True:
            reply = yield from self._session.call("GET", self._path, params=params, accept=media_type)
            replies.append(reply)
            cursor = _next_cursor(reply.headers.get("link", ""))
            if cursor is None:
                return replies
            params["cursor"] = cursor

    def _table(self) -> Flow[tuple[pa.Table, dict[str, Any]]]:
        pa = need("pyarrow", "arrow")
        replies = yield from self._pages(PARQUET)
        tables = yield from work(lambda: [arrow_of(reply.content) for reply in replies])
        headers = replies[-1].headers
        removed = int(headers.get("x-removed-since", 0))
        origin = {"report": self.name, "watermark": headers.get("x-watermark"), "removed_since": removed}
        return pa.concat_tables(tables), origin

    @operation
    def csv(self) -> Flow[str]:
        """All rows as CSV with a header."""
        replies: list[Reply] = yield from self._pages("text/csv")
        texts = [reply.content.decode() for reply in replies]
        # No name of a column has a line in it.
        return texts[0] + "".join(text.partition("\n")[2] for text in texts[1:])

    @operation
    def to_arrow(self) -> Flow[pa.Table]:
        """All rows as an Arrow table."""
        table, _origin = yield from self._table()
        return table

    @operation
    def to_pandas(self) -> Flow[pd.DataFrame]:
        """All rows as a DataFrame of pandas; `frame.attrs["dataforge"]` has the watermark."""
        table, origin = yield from self._table()
        return pandas_of(table, origin)

    @operation
    def to_polars(self) -> Flow[pl.DataFrame]:
        """All rows as a DataFrame of polars."""
        table, _origin = yield from self._table()
        return polars_of(table)

    @operation
    def json(self) -> Flow[dict[str, Any]]:
        """The first page with all its members, as the API answers it."""
        answer: dict[str, Any] = yield from self._session.get_json(self._path, self._params)
        return answer

    @operation
    def svg(self) -> Flow[str]:
        """The report as a picture."""
        reply = yield from self._session.call("GET", self._path, params=self._params, accept="image/svg+xml")
        return reply.content.decode()


def _next_cursor(link: str) -> str | None:
    for part in link.split(","):
        address, _, rest = part.strip().partition(">")
        if 'rel="next"' in rest:
            return parse_qs(urlsplit(address.removeprefix("<")).query).get("cursor", [None])[0]
    return None


def _instant(value: When) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value


class Reports(Bound[M]):
    """The reports of learning: each is read with `to_pandas()`, `to_polars()`, `to_arrow()`, `json()` or `svg()`."""

    def __init__(self, driver: Driver, session: Session) -> None:
        self._driver, self._session = driver, session

    def _report(self, name: str, path: str, params: Mapping[str, Any]) -> Report[M]:
        shown = {key: _instant(value) if key in ("as_of", "since") else value for key, value in params.items()}
        return Report(self._driver, self._session, name, f"/api/reports/{path}", shown)

    def cohort(self, cohort_id: str, *, as_of: When = None) -> Report[M]:
        """Who of a cohort has completed which lesson: a row for each learner and lesson."""
        return self._report("cohort", f"cohorts/{segment(cohort_id)}", {"as_of": as_of})

    def learner(self, user_id: str, *, as_of: When = None) -> Report[M]:
        """Lessons and statements of a learner, newest first."""
        return self._report("learner", f"learners/{segment(user_id)}", {"as_of": as_of})

    def funnel(self, lesson_id: str, *, cohort_id: str | None = None, as_of: When = None) -> Report[M]:
        """How many have started and completed a lesson, and how long it took them."""
        params = {"cohort_id": cohort_id, "as_of": as_of}
        return self._report("funnel", f"lessons/{segment(lesson_id)}/funnel", params)

    def incomplete(self, lesson_id: str, *, cohort_id: str | None = None, as_of: When = None) -> Report[M]:
        """Who has not completed a lesson."""
        params = {"cohort_id": cohort_id, "as_of": as_of}
        return self._report("incomplete", f"lessons/{segment(lesson_id)}/incomplete", params)

    def questions(self, lesson_id: str, *, as_of: When = None) -> Report[M]:
        """What was answered to the questions of a lesson: a row for each response."""
        return self._report("questions", f"lessons/{segment(lesson_id)}/questions", {"as_of": as_of})

    def at_risk(
        self,
        *,
        cohort_id: str | None = None,
        idle_days: int = 7,
        include_never_started: bool = False,
        as_of: When = None,
    ) -> Report[M]:
        """Who has begun, has not completed what is required, and has been idle."""
        never = {"include_never_started": include_never_started}
        return self._report(
            "at-risk", "at-risk", {"cohort_id": cohort_id, "idle_days": idle_days, **never, "as_of": as_of}
        )

    def activity(
        self,
        first: date | None = None,
        last: date | None = None,
        *,
        interval: Literal["day", "week", "month"] = "day",
        time_zone: str = "UTC",
        cohort_id: str | None = None,
        lesson_id: str | None = None,
        as_of: When = None,
    ) -> Report[M]:
        """Statements of lessons, learners and completions per day, week or month."""
        days = {"from": first.isoformat() if first else None, "to": last.isoformat() if last else None}
        which = {"cohort_id": cohort_id, "lesson_id": lesson_id, "as_of": as_of}
        return self._report("activity", "activity", {**days, "interval": interval, "time_zone": time_zone, **which})

    def comparison(
        self, by: Literal["lesson", "course"] = "lesson", *, cohort_id: str | None = None, as_of: When = None
    ) -> Report[M]:
        """Lessons or courses beside each other."""
        return self._report("comparison", "comparison", {"by": by, "cohort_id": cohort_id, "as_of": as_of})

    def completions(self, since: datetime | str, *, as_of: When = None) -> Report[M]:
        """Completions of all learners that changed since an earlier call."""
        return self._report("completions", "completions", {"since": since, "as_of": as_of})
