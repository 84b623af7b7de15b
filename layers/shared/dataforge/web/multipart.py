"""Forms with files, as browsers send them (HTML standard, "multipart/form-data encoding algorithm"; RFC 7578)."""

import re
from dataclasses import dataclass, field
from email.message import Message

from starlette.types import Scope

from dataforge.kernel.errors import BadRequest
from dataforge.kernel.texts import Text

KIND = "multipart/form-data"
_FILES = "dataforge.form_files"
_MOST_PARTS = 200
_NAME = re.compile(r'(?:^|;)\s*name="([^"]*)"')
_FILE_NAME = re.compile(r'(?:^|;)\s*filename="([^"]*)"')
# What browsers write instead of what would end a quoted name.
_ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n"}


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file that somebody chose; one without a name is no file."""

    name: str
    content_type: str
    data: bytes = field(repr=False)


def read_multipart(content_type: str, body: bytes) -> tuple[list[tuple[str, str]], dict[str, FormFile]]:
    """The fields in their order, and the files by the names of their fields; raises BadRequest."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode()) if isinstance(boundary, str) and boundary else []
    if len(parts) < 2 or not parts[-1].startswith(b"--") or len(parts) > _MOST_PARTS:
        raise BadRequest(Text("The form cannot be read."))
    fields: list[tuple[str, str]] = []
    files: dict[str, FormFile] = {}
    for part in parts[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = _headers(head)
        disposition = headers.get("content-disposition", "")
        name, file_name = _NAME.search(disposition), _FILE_NAME.search(disposition)
        if name is None:
            raise BadRequest(Text("The form cannot be read."))
        if file_name is None:
            fields.append((_plain(name[1]), _text(content)))
        elif file_name[1]:
            kind = headers.get("content-type", "application/octet-stream")
            files[_plain(name[1])] = FormFile(_plain(file_name[1]), kind, content)
    return fields, files


def _headers(head: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in _text(head).split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(Text("The form cannot be read.")) from error


def _plain(name: str) -> str:
    return re.sub("%22|%0D|%0A", lambda found: _ESCAPES[found[0]], name)


def keep_files(scope: Scope, files: dict[str, FormFile]) -> None:
    """Leave the files of a form for the page that reads it."""
    scope[_FILES] = files


def file_of(scope: Scope, name: str) -> FormFile | None:
    """The file that was chosen in this field of the form; None for none."""
    files: dict[str, FormFile] = scope.get(_FILES, {})
    return files.get(name)
