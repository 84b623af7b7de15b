"""Wire models of zips."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from dataforge.contexts.workspaces.notes.domain.paths import MAX_NOTE_PATH
from dataforge.contexts.workspaces.zips.domain import MAX_ZIP, MAX_ZIP_BYTES, ImportMode
from dataforge.http.wire import RequestModel
from dataforge.kernel.texts import Text

Folder = Annotated[
    str, Field(max_length=MAX_NOTE_PATH, description="a folder of the vault; empty for its top", examples=["Projects"])
]


def _no_larger(size: int) -> int:
    if size > MAX_ZIP_BYTES:
        message = Text(
            "must be at most {max_zip} ({max_zip_bytes:,} bytes)", max_zip=MAX_ZIP, max_zip_bytes=MAX_ZIP_BYTES
        )
        raise ValueError(message)
    return size


class ZipUploadIn(RequestModel):
    """A zip: its size and its SHA-256 in hexadecimal digits."""

    size_bytes: Annotated[int, Field(ge=1, json_schema_extra={"maximum": MAX_ZIP_BYTES}), AfterValidator(_no_larger)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ZipUploadOut(BaseModel):
    """Where the zip goes: one PUT with these headers, and the key that an import names."""

    upload_key: str
    url: str
    method: str
    headers: dict[str, str]
    expires_in: int


class VaultImportIn(RequestModel):
    """A zip that was uploaded, the folder that its notes come into, and what becomes of others there.

    `merge` leaves notes that the zip does not have, `replace` puts them into the trash.
    """

    upload_key: Annotated[str, Field(min_length=1, max_length=300)]
    mode: ImportMode = ImportMode.MERGE
    folder: Folder = ""


class VaultImportApplyIn(RequestModel):
    """The hash of a plan."""

    plan_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class VaultExportIn(RequestModel):
    """Which notes: those below a folder, by their paths from there on; all without one."""

    folder: Folder = ""
