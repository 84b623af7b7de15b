"""The catalog that versions are published in, one dataset's part of it at a time.

Everything that is read or written for a dataset lies below its own prefix of the bucket: a catalog can be written to by
others, and what their tables name elsewhere is refused.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

from pyiceberg.catalog import MetastoreCatalog
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchNamespaceError, NoSuchTableError
from pyiceberg.io import FileIO, InputFile, OutputFile
from pyiceberg.typedef import EMPTY_DICT, Properties

from dataforge.contexts.datasets.publications.domain import lake_prefix, namespace_of
from dataforge.kernel.errors import ObjectMissing
from dataforge.kernel.texts import Text
from dataforge.platform.aws.clients import client
from dataforge.platform.aws.s3 import S3ObjectStore
from dataforge.platform.db.database import sqlalchemy_url
from versioned_tables.errors import SnapshotRefused

if TYPE_CHECKING:
    from pyiceberg.table import Table

_BUCKET, _PREFIX = "dataforge.bucket", "dataforge.prefix"
_BUFFER = 1 << 20
_TYPE = "application/octet-stream"
NAME = "dataforge"
"""What the catalog calls itself (the SQL catalog's `catalog_name`)."""


class _Object(io.RawIOBase):
    """An object of the bucket as a file that is read from anywhere."""

    def __init__(self, store: S3ObjectStore, key: str, size: int) -> None:
        self._store = store
        self._key = key
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever can be written to
        wanted = min(len(buffer), self._size - self._at)
        data = self._store.get_range(self._key, self._at, wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class _NewObject(io.BytesIO):
    """What is written becomes an object when it is closed."""

    def __init__(self, store: S3ObjectStore, key: str, *, overwrite: bool) -> None:
        super().__init__()
        self._store = store
        self._key = key
        self._overwrite = overwrite

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:  # half a file is none
            self.close()

    def close(self) -> None:
        if self.closed:
            return
        data = self.getvalue()
        super().close()
        if self._overwrite:
            self._store.put(self._key, data, content_type=_TYPE)
        elif not self._store.put_if_absent(self._key, data):
            raise FileExistsError(self._key)


class _Location(InputFile, OutputFile):
    """A file of a table."""

    def __init__(self, store: S3ObjectStore, key: str, location: str) -> None:
        super().__init__(location)
        self._store = store
        self._key = key

    def __len__(self) -> int:
        return self._store.size(self._key)

    def exists(self) -> bool:
        try:
            return len(self) >= 0
        except ObjectMissing:
            return False

    def open(self, seekable: bool = True) -> Any:  # noqa: ANN401, ARG002, FBT001, FBT002 - as the base class has it
        try:
            size = len(self)
        except ObjectMissing as error:
            raise FileNotFoundError(self.location) from error
        return io.BufferedReader(_Object(self._store, self._key, size), _BUFFER)

    def create(self, overwrite: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - as the base class has it
        return _NewObject(self._store, self._key, overwrite=overwrite)

    def to_input_file(self) -> InputFile:
        return self


class DatasetFileIO(FileIO):
    """The files of one dataset's tables: whatever lies elsewhere is refused, whoever names it."""

    def __init__(self, properties: Properties = EMPTY_DICT) -> None:
        super().__init__(properties)
        self._bucket, self._prefix = properties[_BUCKET], properties[_PREFIX]
        self._store = S3ObjectStore(client("s3"), self._bucket)

    def new_input(self, location: str) -> InputFile:
        return _Location(self._store, self._key(location), location)

    def new_output(self, location: str) -> OutputFile:
        return _Location(self._store, self._key(location), location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        self._store.delete(self._key(location if isinstance(location, str) else location.location))

    def _key(self, location: str) -> str:
        scheme, _, rest = location.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme not in ("s3", "s3a") or bucket != self._bucket or not key.startswith(self._prefix) or "/../" in key:
            message = Text(
                "The table has a file outside of {prefix}, where tables of this dataset are.", prefix=self._prefix
            )
            raise SnapshotRefused(message)
        return key


class _Bounded(MetastoreCatalog):
    """A catalog whose tables cannot choose how their files are reached: their properties can be written by others."""

    def _load_file_io(self, properties: Properties = EMPTY_DICT, location: str | None = None) -> FileIO:  # noqa: ARG002 - as said
        return DatasetFileIO(self.properties)


class _SqlCatalog(_Bounded, SqlCatalog):
    pass


class _GlueCatalog(_Bounded, GlueCatalog):
    pass


@dataclass(frozen=True, slots=True)
class Lake:
    """Where tables are published: the kind of catalog (`sql`, `glue`), how namespaces begin, and the bucket."""

    kind: str
    namespaces: str
    bucket: str
    database_url: Callable[[], str]

    def namespace(self, dataset_id: UUID) -> str:
        """The namespace of a dataset."""
        return namespace_of(self.namespaces, dataset_id)

    @contextmanager
    def catalog(self, dataset_id: UUID) -> Iterator[MetastoreCatalog]:
        """The catalog for the tables of one dataset. Blocks, like all that is done with it."""
        properties = {
            "py-io-impl": f"{__name__}.{DatasetFileIO.__name__}",
            "warehouse": f"s3://{self.bucket}/{lake_prefix(dataset_id).rstrip('/')}",
            _BUCKET: self.bucket,
            _PREFIX: lake_prefix(dataset_id),
        }
        if self.kind == "glue":
            yield _GlueCatalog(NAME, client("glue"), **properties)
            return
        catalog = _SqlCatalog(NAME, uri=catalog_url(self.database_url()), init_catalog_tables="false", **properties)
        try:
            yield catalog
        finally:
            catalog.close()

    def find(self, catalog: MetastoreCatalog, dataset_id: UUID, table: str) -> Table | None:
        """A table of the dataset; None when there is none."""
        try:
            return catalog.load_table((self.namespace(dataset_id), table))
        except NoSuchTableError:
            return None

    def make_namespace(self, catalog: MetastoreCatalog, dataset_id: UUID) -> None:
        """The namespace of the dataset, unless it is there."""
        try:
            # Where tables go that engines make here without saying where.
            location = f"s3://{self.bucket}/{lake_prefix(dataset_id).rstrip('/')}"
            catalog.create_namespace(self.namespace(dataset_id), {"location": location})
        except NamespaceAlreadyExistsError:
            return

    def drop(self, catalog: MetastoreCatalog, dataset_id: UUID, table: str | None) -> None:
        """Take a table out of the catalog, or the namespace with all of its tables; what is not there is fine."""
        namespace = self.namespace(dataset_id)
        try:
            tables = catalog.list_tables(namespace) if table is None else [(namespace, table)]
            for identifier in tables:
                catalog.drop_table(identifier)
            if table is None:
                catalog.drop_namespace(namespace)
        except (NoSuchNamespaceError, NoSuchTableError):
            return

    def location(self, dataset_id: UUID, table: str) -> str:
        """Where the files of a table are."""
        return f"s3://{self.bucket}/{lake_prefix(dataset_id)}{table}"


def catalog_url(database_url: str) -> str:
    """The address of the SQL catalog, whose tables are in the schema `datasets`, for SQLAlchemy."""
    url = sqlalchemy_url(database_url)
    return f"{url}{'&' if '?' in url else '?'}options={quote('-csearch_path=datasets')}"
