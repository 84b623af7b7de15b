"""Wire models of imports."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, SecretStr

from dataforge.contexts.lrs.imports.domain import MAX_FILE_BYTES
from dataforge.http.wire import RequestModel


class StatementUploadIn(RequestModel):
    """A file of JSON lines, plain or packed with gzip: its size and its SHA-256 in hexadecimal digits."""

    size_bytes: Annotated[int, Field(ge=1, le=MAX_FILE_BYTES)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class StatementUploadOut(BaseModel):
    """Where the file goes: one PUT with these headers, and the key that an import names."""

    upload_key: str
    url: str
    method: str
    headers: dict[str, str]
    expires_in: int


class StatementImportIn(RequestModel):
    """A file that was uploaded."""

    upload_key: Annotated[str, Field(min_length=1, max_length=300)]


class StoreImportIn(RequestModel):
    """Another record store: the address before `/statements`, a credential that may read, and when they were stored.

    The password is kept encrypted until the import has ended, and is never shown.
    """

    endpoint: Annotated[str, Field(min_length=10, max_length=1_000)]
    username: Annotated[str, Field(min_length=1, max_length=500)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=500)]
    version: Literal["1.0.3", "2.0.0"] = "1.0.3"
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
