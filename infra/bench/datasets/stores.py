"""Where the objects of a run lie: a local directory, or a bucket of the emulator of the laptop's stack."""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from dataforge.platform.aws.s3 import S3ObjectStore
from infra.local import emulator
from infra.local.layout import StackDirectory
from versioned_tables.files.sources import FileSource, ObjectSource, PathSource
from versioned_tables.objects import ByteStream, ObjectStore, StoredObject
from versioned_tables.storage.local_directory import LocalDirectoryStore
from versioned_tables.storage.table_store import TableStore

BUCKET = "bench"
_PARALLEL = 32


@dataclass(frozen=True, slots=True)
class Place:
    """A store that another process can open: a folder for manifest records and local objects, and with an
    `endpoint` a bucket for the objects instead.
    """

    folder: Path
    endpoint: str = ""

    def store(self, *, delay: float = 0.0) -> Metered:
        """The objects; every GET takes `delay` seconds longer."""
        if not self.endpoint:
            return Metered(LocalDirectoryStore(self.folder / "objects"), delay)
        return Metered(S3ObjectStore(self._client(), BUCKET), delay)

    def at(self, name: str) -> Place:
        """Another store of the same kind."""
        return replace(self, folder=self.folder / name)

    def tables(self, store: ObjectStore | None = None) -> TableStore:
        """A cold table store; all stores of a run share one bucket, so each has a prefix there."""
        return TableStore(store or self.store(), f"{self.folder.name}/" if self.endpoint else "")

    @property
    def manifests(self) -> Path:
        """Where the records of versions are kept."""
        return self.folder / "manifests"

    def source(self, path: Path) -> FileSource:
        """A file as an import finds it: an object of the bucket, put there first, or the file itself."""
        if not self.endpoint:
            return PathSource(path)
        client = self._client()
        if client.list_objects_v2(Bucket=BUCKET, Prefix=path.name)["KeyCount"] == 0:
            client.upload_file(str(path), BUCKET, path.name)
        return ObjectSource(S3ObjectStore(client, BUCKET), path.name, path.name)

    def _client(self) -> Any:  # noqa: ANN401 - boto3 clients are made at run time
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=emulator.REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(proxies={}, max_pool_connections=_PARALLEL),
        )


class Metered:
    """A store that counts the bytes it was given, and can be as slow to read as a real one."""

    def __init__(self, store: ObjectStore, delay: float) -> None:
        self._store = store
        self._delay = delay
        self._sizes: list[int] = []

    @property
    def grown(self) -> int:
        """Bytes stored through this."""
        return sum(self._sizes)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Store and count."""
        stored = self._store.put_if_absent(key, data)
        if stored:
            self._sizes.append(len(data))
        return stored

    def get(self, key: str) -> bytes:
        """The whole object, later."""
        self._wait()
        return self._store.get(key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Part of the object, later."""
        self._wait()
        return self._store.get_range(key, start, length)

    def stream(self, key: str, start: int, stop: int, step: int) -> ByteStream:
        """The object in blocks, later."""
        self._wait()
        return self._store.stream(key, start, stop, step)

    def _wait(self) -> None:
        if self._delay:  # a sleep of 0 would still give the core away
            time.sleep(self._delay)

    def size(self, key: str) -> int:
        """Bytes of the object."""
        return self._store.size(key)

    def delete(self, key: str) -> None:
        """Remove the object."""
        self._store.delete(key)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Objects by prefix."""
        return self._store.list(prefix)


@contextmanager
def started(folder: Path) -> Iterator[Place]:
    """An emulator of the run's own, with an empty bucket."""
    with tempfile.TemporaryDirectory(prefix="dataforge-bench-") as name, warnings.catch_warnings():
        # The launcher lets go of the handle of the server it started and finds it again by its process id.
        warnings.simplefilter("ignore", ResourceWarning)
        running = emulator.start(StackDirectory(root=Path(name), stack_name="bench", preferred_port=None))
        try:
            running.client("s3").create_bucket(Bucket=BUCKET)
            yield Place(folder, running.endpoint_url)
        finally:
            running.stop()
