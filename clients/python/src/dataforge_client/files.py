"""Files to and from datasets: in one call while they are small, through presigned addresses when they are not."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from dataforge_client.errors import JobFailed, JobTimeout, TransferFailed, Unreachable
from dataforge_client.flows import Fetch, Flow, Pause, Reply, Send, fetch, send, together, work
from dataforge_client.models import Job, parse
from dataforge_client.progress import Report
from dataforge_client.session import Session, segment

SMALL = 4 * 1024 * 1024
"""Bytes up to which a file goes in one call."""
_PARTS_AT_ONCE = 4
_PARTS_PER_REQUEST = 16
_REDIRECTS = (301, 302, 303, 307, 308)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0

Source = str | os.PathLike[str] | bytes | BinaryIO


class LocalFile:
    """A file to send: one on the disk, which is never read whole, bytes, or an open file."""

    def __init__(self, source: Source, name: str | None = None) -> None:
        self._data: bytes | None = None
        self._path: Path | None = None
        if isinstance(source, bytes):
            self._data, self.name = source, name or "data"
        elif isinstance(source, str | os.PathLike):
            self._path = Path(source)
            self.name = name or self._path.name
        else:
            self._data = source.read()
            self.name = name or Path(str(getattr(source, "name", "data"))).name
        self.size = len(self._data) if self._data is not None else self._existing().stat().st_size

    def _existing(self) -> Path:
        assert self._path is not None  # noqa: S101 - one of the two is given
        return self._path

    def read(self, start: int, length: int) -> bytes:
        """A part of it; several threads may read at once."""
        if self._data is not None:
            return self._data[start : start + length]
        with self._existing().open("rb") as file:
            file.seek(start)
            return file.read(length)

    def whole(self) -> bytes:
        """All of it."""
        return self.read(0, self.size)


class Counter:
    """Adds up what several parts have done."""

    def __init__(self, stage: str, total: int | None, report: Report) -> None:
        self._stage, self.total, self._report = stage, total, report
        self._done = 0
        self._lock = threading.Lock()
        report(stage, 0, total)

    def add(self, count: int) -> None:
        """This much more is done."""
        with self._lock:
            self._done += count
            self._report(self._stage, self._done, self.total)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How jobs are waited for: up to `timeout` seconds, for ever if that is None."""

    report: Report
    timeout: float | None = None


def send_parts(
    session: Session, dataset_id: str, upload: Mapping[str, Any], file: LocalFile, report: Report
) -> Flow[None]:
    """PUT the parts of an upload that have not arrived, some at once; each is checked by its SHA-256 on arrival."""
    size, path = int(upload["part_size"]), f"/api/datasets/{dataset_id}/uploads/{upload['id']}/parts"
    arrived = {int(part["number"]) for part in upload.get("parts") or ()}
    missing = [number for number in range(1, int(upload["part_count"]) + 1) if number not in arrived]
    counter = Counter("uploading", file.size, report)
    counter.add(min(file.size, len(arrived) * size))

    def one(number: int) -> Flow[None]:
        def read() -> tuple[bytes, str]:
            data = file.read((number - 1) * size, size)
            return data, base64.b64encode(hashlib.sha256(data).digest()).decode()

        data, checksum = yield from work(read)
        asked = {"parts": [{"number": number, "sha256": checksum}]}
        for attempt in range(session.retries.attempts):
            # An address of its own for each attempt: the one before may have expired.
            (part,) = (yield from session.send_json("POST", path, asked))["parts"]
            try:
                reply = yield from send(Send("PUT", part["url"], part["headers"], data))
            except Unreachable:
                if attempt + 1 == session.retries.attempts:
                    raise
            else:
                if reply.status < 300:
                    counter.add(len(data))
                    return
                if reply.status < 500 or attempt + 1 == session.retries.attempts:
                    message = f"Part {number} was refused by the object store ({reply.status})."
                    raise TransferFailed(message)
            yield Pause(session.retries.wait(attempt, None))

    yield from together([one(number) for number in missing], at_once=_PARTS_AT_ONCE)


def upload_in_parts(
    session: Session,
    dataset_id: str,
    ref: str,
    file: LocalFile,
    options: Mapping[str, Any],
    base: str | None,
    report: Report,
) -> Flow[str]:
    """Open an upload and send its parts; its id, ready to be completed or planned."""
    body = {"file_name": file.name, "size_bytes": file.size, "import": dict(options), "base_commit_id": base}
    path = f"/api/datasets/{dataset_id}/refs/{segment(ref)}/uploads"
    upload = yield from session.send_json("POST", path, body)
    yield from send_parts(session, dataset_id, upload, file, report)
    return str(upload["id"])


def wait_for(session: Session, job: Job, waiting: Waiting) -> Flow[Job]:
    """Ask for a job until it has ended; raises JobFailed if it has not done its work, JobTimeout if it takes longer."""
    until = None if waiting.timeout is None else time.monotonic() + waiting.timeout
    path, pause = f"/api/datasets/{job.dataset_id}/jobs/{job.id}", _FIRST_PAUSE
    while not job.ended:
        if until is not None and time.monotonic() >= until:
            message = f"Job {job.id} ({job.run_type}) has not ended after {waiting.timeout:g} s; it goes on."
            raise JobTimeout(message, job)
        yield Pause(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.3)
        job = parse(Job, (yield from session.get_json(path)))
        rows = job.progress.get("rows")
        waiting.report(str(job.progress.get("stage") or job.run_type), rows if isinstance(rows, int) else 0, None)
    if job.status != "completed":
        reason = job.error_message or (job.error or {}).get("detail") or f"it is {job.status}"
        message = f"The {job.run_type.replace('_', ' ')} {job.status}: {reason}"
        raise JobFailed(message, job)
    return job


def follow(session: Session, reply: Reply) -> str | None:
    """Where a redirect points; None for another answer."""
    if reply.status not in _REDIRECTS:
        return None
    location = reply.headers.get("location", "")
    return location if location.startswith(("http://", "https://")) else session.base + location


def fetch_into(session: Session, url: str, sink: BinaryIO, report: Report) -> Flow[None]:
    """GET a presigned address into a file, without a token; once more from the start if the connection breaks."""
    start = sink.tell()
    for attempt in range(session.retries.attempts):
        sink.seek(start)
        sink.truncate()
        counter: list[Counter] = []

        def arrived(count: int, total: int | None, counter: list[Counter] = counter) -> None:
            if not counter:
                counter.append(Counter("downloading", total, report))
            counter[0].add(count)

        last = attempt + 1 == session.retries.attempts
        try:
            reply = yield from fetch(Fetch(url, sink, arrived=arrived))
        except Unreachable:
            if last:
                raise
        else:
            if reply.status == 200:
                return
            if reply.status < 500 or last:
                message = f"The object store refused the file ({reply.status})."
                raise TransferFailed(message)
        yield Pause(session.retries.wait(attempt, None))


def in_memory(session: Session, url: str, report: Report) -> Flow[io.BytesIO]:
    """The file at a presigned address, in memory."""
    sink = io.BytesIO()
    yield from fetch_into(session, url, sink, report)
    sink.seek(0)
    return sink


def onto_disk(path: Path, write: Callable[[BinaryIO], Flow[object]]) -> Flow[None]:
    """Have a file written beside `path` and moved there when it is whole."""
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("wb") as file:
            yield from write(file)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
