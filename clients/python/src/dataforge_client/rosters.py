"""Rosters in bulk: a plan first, which says what every row would do, then the plan is applied."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from dataforge_client.errors import TransferFailed
from dataforge_client.files import SMALL, LocalFile, Source
from dataforge_client.flows import Bound, Driver, Flow, M, Pages, Pause, Send, listing, operation, send, work
from dataforge_client.models import parse
from dataforge_client.session import Session, segment

_ROSTERS = "/api/rosters"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class RosterRow:
    """What a plan decides for one row, and why if it cannot be done."""

    row_no: int
    file: str
    line: int | None
    kind: str
    action: str
    reason: dict[str, Any] | None
    outcome: str | None
    data: dict[str, Any]
    sourced_id: str | None = None
    wait_no: int | None = None


@dataclass(frozen=True, slots=True)
class RosterFacts:
    """A plan as the API describes it."""

    id: str
    semester_id: str
    format: str
    state: str
    plan_hash: str
    counts: dict[str, dict[str, int]]
    drops: int
    implied_drops: int
    source: dict[str, Any]
    created_at: datetime
    applied_at: datetime | None


class RosterPlan(Bound[M]):
    """What a roster would create, change and drop; `apply()` does it whole or not at all."""

    def __init__(self, driver: Driver, session: Session, facts: RosterFacts) -> None:
        self._driver, self._session = driver, session
        self.facts = facts

    @property
    def id(self) -> str:
        """The id of the plan."""
        return self.facts.id

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many rows of which kind have which action."""
        return self.facts.counts

    @property
    def drops(self) -> int:
        """How many enrollments would end; some of them because the file leaves them out."""
        return self.facts.drops

    @property
    def state(self) -> str:
        """What has become of the plan."""
        return self.facts.state

    def __repr__(self) -> str:
        return f"<RosterPlan {self.id} {self.state}: {self.counts}>"

    @listing
    def rows(self, action: str | None = None, kind: str | None = None) -> Pages[RosterRow]:
        """What is decided row by row; `action="conflict"` lists those that cannot be done."""
        params = {"action": action, "kind": kind, "limit": 200}
        return self._session.pages(f"{_ROSTERS}/plans/{self.id}/rows", params, lambda row: parse(RosterRow, row))

    @operation
    def apply(self, *, confirm_drops: int | None = None) -> Flow[RosterPlan[M]]:
        """Do what the plan says; raises PlanStale when what it saw has changed since.

        `confirm_drops` is the number of drops, needed where they are many or implied.
        """
        body = {"plan_hash": self.facts.plan_hash, "confirm_drops": confirm_drops}
        answer = yield from self._session.send_json("POST", f"{_ROSTERS}/plans/{self.id}/apply", body)
        return RosterPlan(self._driver, self._session, parse(RosterFacts, answer))


class Rosters(Bound[M]):
    """Plans of rosters."""

    def __init__(self, driver: Driver, session: Session) -> None:
        self._driver, self._session = driver, session

    def _plan(self, answer: dict[str, Any]) -> RosterPlan[M]:
        return RosterPlan(self._driver, self._session, parse(RosterFacts, answer))

    @operation
    def get(self, plan_id: str) -> Flow[RosterPlan[M]]:
        """A plan by its id."""
        return self._plan((yield from self._session.get_json(f"{_ROSTERS}/plans/{segment(plan_id)}")))

    @operation
    def plan(
        self,
        /,
        semester_id: str,
        file: Source,
        *,
        mode: Literal["full", "additive"] = "additive",
        form: Literal["simple", "oneroster"] | None = None,
        **options: Any,  # noqa: ANN401 - of a plan
    ) -> Flow[RosterPlan[M]]:
        """Plan a roster from a file: a simple CSV, or a zip of OneRoster files. Changes nothing.

        Other options are those of the API: `drop_threshold`, `default_capacity`, `waive` and `waive_reason` and so on.
        """
        local = LocalFile(file)
        zipped = local.read(0, len(_ZIP)) == _ZIP
        how = {"mode": mode, "format": form or ("oneroster" if zipped else "simple"), **options}
        if local.size > SMALL:
            return self._plan((yield from self._from_upload(semester_id, local, how)))
        media_type = "application/zip" if zipped else "text/csv"
        reply = yield from self._session.call(
            "POST",
            f"{_ROSTERS}/{segment(semester_id)}/plans",
            params=how,
            content=local.whole(),
            headers={"Content-Type": media_type},
        )
        return self._plan(json.loads(reply.content))

    def _from_upload(self, semester_id: str, file: LocalFile, how: Mapping[str, Any]) -> Flow[dict[str, Any]]:
        data = file.whole()
        digest = yield from work(lambda: hashlib.sha256(data).hexdigest())
        announced = {"filename": file.name, "size_bytes": file.size, "sha256": digest}
        upload = yield from self._session.send_json("POST", f"{_ROSTERS}/uploads", announced)
        reply = yield from send(Send("PUT", upload["url"], upload["headers"], data))
        if reply.status >= 300:
            message = f"The object store refused the roster ({reply.status})."
            raise TransferFailed(message)
        body = {"semester_id": semester_id, "upload_key": upload["upload_key"], **how}
        answer: dict[str, Any] = yield from self._session.send_json("POST", f"{_ROSTERS}/plans", body)
        return answer

    @operation
    def plan_dataset(
        self,
        /,
        semester_id: str,
        dataset_id: str,
        version: str = "main",
        *,
        sheet: str | None = None,
        mode: Literal["full", "additive"] = "additive",
        **options: Any,  # noqa: ANN401 - of a plan
    ) -> Flow[RosterPlan[M]]:
        """Plan a roster from a version of a dataset, whose columns are those of the simple CSV."""
        body: dict[str, Any] = {"dataset_id": dataset_id, "version": version, "sheet": sheet, "mode": mode, **options}
        while True:
            reply = yield from self._session.call("POST", f"{_ROSTERS}/{segment(semester_id)}/plans", json_body=body)
            answer = json.loads(reply.content)
            if reply.status != 202:
                return self._plan(answer)
            # Its rows are being made readable; the commit that was seen is the one that is planned.
            body["version"] = answer["commit_id"]
            yield Pause(float(reply.headers.get("retry-after", 2)))
