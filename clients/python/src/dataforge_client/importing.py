"""Files into datasets: what would happen, and making it happen."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dataforge_client.errors import ApiError
from dataforge_client.files import SMALL, Counter, LocalFile, Waiting, upload_in_parts, wait_for
from dataforge_client.flows import Bound, Driver, Flow, M, operation
from dataforge_client.models import CommitResult, Job, parse
from dataforge_client.progress import Progress, shown
from dataforge_client.session import Params, Session, segment

_EVOLUTION = ("add_columns", "drop_columns", "widen_types", "change_types")
_UNKNOWN_ROUTE = (404, 405)


@dataclass(frozen=True, slots=True)
class Target:
    """A branch of a dataset, where it is expected to be (None: wherever it is), and how a file is read."""

    dataset_id: str
    ref: str
    options: Mapping[str, Any] = field(default_factory=dict)
    base: str | None = None

    @property
    def path(self) -> str:
        """The address of the branch."""
        return f"/api/datasets/{self.dataset_id}/refs/{segment(self.ref)}"


def options_of(**given: Any) -> dict[str, Any]:  # noqa: ANN401 - of an import
    """Options of an import as the API takes them; those that are None are left out."""
    options = {name: value for name, value in given.items() if value is not None and name not in _EVOLUTION}
    evolution = {name: given[name] for name in _EVOLUTION if given.get(name) is not None}
    return options | ({"evolution": evolution} if evolution else {})


def _query(options: Mapping[str, Any], file: LocalFile) -> Params:
    """The same options as parameters of an address."""
    params: dict[str, Any] = {"file_name": file.name}
    for name, value in options.items():
        if name == "evolution":
            params |= value
        elif isinstance(value, Mapping):
            params[name] = json.dumps(value)
        else:
            params[name] = value
    return params


def _headers(target: Target) -> dict[str, str]:
    precondition = {} if target.base is None else {"If-Match": f'"{target.base}"'}
    return {"Content-Type": "application/octet-stream", **precondition}


def _no_such_route(error: ApiError) -> bool:
    # A dataset or branch that is missing has a code of its own.
    return error.status in _UNKNOWN_ROUTE and error.code in ("not_found", "method_not_allowed")


def import_file(session: Session, target: Target, file: LocalFile, waiting: Waiting) -> Flow[CommitResult]:
    """Import a file: in one call while it is small, else through an upload; returns what it did."""
    if file.size <= SMALL:
        try:
            reply = yield from _send_whole(session, "PUT", target.path + "/file", target, file, waiting)
        except ApiError as error:
            if error.status != 413 and not _no_such_route(error):
                raise
        else:
            answer = json.loads(reply.content)
            if reply.status != 202:
                return parse(CommitResult, answer)
            return result_of((yield from wait_for(session, parse(Job, answer), waiting)))
    upload = yield from upload_in_parts(
        session, target.dataset_id, target.ref, file, target.options, target.base, waiting.report
    )
    answer = yield from session.send_json("POST", f"/api/datasets/{target.dataset_id}/uploads/{upload}/complete")
    return result_of((yield from wait_for(session, parse(Job, answer), waiting)))


def _send_whole(
    session: Session, method: str, path: str, target: Target, file: LocalFile, waiting: Waiting
) -> Flow[Any]:
    counter = Counter("uploading", file.size, waiting.report)
    headers = {**_headers(target), "Idempotency-Key": uuid.uuid4().hex}
    params = _query(target.options, file)
    reply = yield from session.call(method, path, params=params, content=file.whole(), headers=headers)
    counter.add(file.size)
    return reply


def result_of(job: Job) -> CommitResult:
    """What a job that committed did."""
    return parse(CommitResult, {"previous_commit_id": job.source_commit_id, **(job.output_summary or {})})


@dataclass(frozen=True, slots=True)
class PlannedSheet:
    """What an import would do to a table: `change` is added, changed, removed or unchanged; `schema` is of columns."""

    sheet_name: str
    change: str
    rows_before: int
    rows_after: int
    inserted: int
    updated: int
    deleted: int
    unchanged: int
    schema: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A plan as the API describes it."""

    plan_hash: str
    ref_name: str
    base_commit_id: str
    file_name: str
    unchanged: bool
    sheets: list[PlannedSheet]
    report: dict[str, Any]
    expires_at: datetime


class ImportPlan(Bound[M]):
    """What an import would do; `apply()` does it, if the branch is still where the plan saw it.

    `sheets` counts rows per table, `report` tells of types, and of rows that would be rejected and why.
    """

    def __init__(self, driver: Driver, session: Session, dataset_id: str, facts: PlanFacts) -> None:
        self._driver, self._session = driver, session
        self.dataset_id = dataset_id
        self.facts = facts

    @property
    def plan_hash(self) -> str:
        """The hash over the file, the options and the head that the plan was made for."""
        return self.facts.plan_hash

    @property
    def sheets(self) -> list[PlannedSheet]:
        """What happens to each table."""
        return self.facts.sheets

    @property
    def report(self) -> dict[str, Any]:
        """How the file was read."""
        return self.facts.report

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to do."""
        return self.facts.unchanged

    @operation
    def apply(self, *, progress: Progress = None, timeout: float | None = None) -> Flow[CommitResult]:
        """Do what the plan says; raises PlanStale when the branch has moved since."""
        path = f"/api/datasets/{self.dataset_id}/import-plans/{self.plan_hash}/apply"
        with shown(progress) as report:
            reply = yield from self._session.call("POST", path)
            answer = json.loads(reply.content)
            if reply.status != 202:
                return parse(CommitResult, answer)
            return result_of((yield from wait_for(self._session, parse(Job, answer), Waiting(report, timeout))))

    def __repr__(self) -> str:
        counts = "; ".join(
            f"{sheet.sheet_name}: +{sheet.inserted} ~{sheet.updated} -{sheet.deleted}" for sheet in self.sheets
        )
        return f"<ImportPlan {self.facts.file_name} -> {self.facts.ref_name}: {counts or 'no change'}>"


def plan_import(session: Session, target: Target, file: LocalFile, waiting: Waiting) -> Flow[PlanFacts]:
    """Plan an import; changes nothing."""
    answer: dict[str, Any]
    if file.size <= SMALL:
        reply = yield from _send_whole(session, "POST", target.path + "/file/plan", target, file, waiting)
        answer = json.loads(reply.content)
        if reply.status != 202:
            return parse(PlanFacts, answer)
    else:
        upload = yield from upload_in_parts(
            session, target.dataset_id, target.ref, file, target.options, target.base, waiting.report
        )
        answer = yield from session.send_json("POST", f"/api/datasets/{target.dataset_id}/uploads/{upload}/plan")
    job = yield from wait_for(session, parse(Job, answer), waiting)
    plan_hash = (job.output_summary or {})["plan_hash"]
    answer = yield from session.get_json(f"/api/datasets/{target.dataset_id}/import-plans/{plan_hash}")
    return parse(PlanFacts, answer)
