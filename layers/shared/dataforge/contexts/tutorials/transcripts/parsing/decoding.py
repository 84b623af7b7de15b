"""Bytes to text: encodings that captions come in, and files that are no text at all."""

import codecs
import re

from dataforge.contexts.tutorials.transcripts.domain import unreadable
from dataforge.kernel.texts import Text

# What people choose by mistake, by how such files begin.
_OTHER_FILES = (
    (b"%PDF-", Text("a PDF")),
    (b"PK\x03\x04", Text("a zip archive or an Office document")),
    (b"\xd0\xcf\x11\xe0", Text("an Office document")),
    (b"{\\rtf", Text("an RTF document")),
    (b"\x1f\x8b", Text("a gzip archive")),
    (b"ID3", Text("a sound file")),
    (b"OggS", Text("a sound file")),
    (b"RIFF", Text("a sound or video file")),
    (b"\x1aE\xdf\xa3", Text("a video file")),
    (b"\x89PNG", Text("an image")),
    (b"\xff\xd8\xff", Text("an image")),
)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_END = re.compile(r"\r\n?|\n")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_MARKUP = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml|tt[\s>]|script|div)", re.IGNORECASE)


def decode(data: bytes) -> str:
    """The text of a file with `\\n` as the end of each line; raises TranscriptUnreadable for what is no text."""
    for beginning, kind in _OTHER_FILES:
        if data.startswith(beginning):
            raise unreadable(Text("This is {kind}. {expected}", kind=kind, expected=EXPECTED), 1)
    if data[4:8] == b"ftyp":
        raise unreadable(Text("This is a video file. {expected}", expected=EXPECTED), 1)
    text = _LINE_END.sub("\n", _text_of(data))
    if not text.strip():
        raise unreadable(Text("The file is empty."))
    control = _CONTROL.search(text)
    if control is not None:
        raise unreadable(Text("This is no text file. {expected}", expected=EXPECTED), _line_of(text, control.start()))
    if _MARKUP.match(text):
        raise unreadable(Text("This is a page or a document in HTML or XML. {expected}", expected=EXPECTED), 1)
    return text


EXPECTED = Text("Transcripts are WebVTT, SRT, or the JSON of phrases.")


def _text_of(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding)
    head = data[:400]
    if head[1::2].count(0) > len(head) // 4:
        return _decoded(data, "utf-16-le")
    if head[::2].count(0) > len(head) // 4:
        return _decoded(data, "utf-16-be")
    try:
        return data.decode()
    except UnicodeDecodeError:
        # What editors on Windows write in Western languages.
        return _decoded(data, "cp1252")


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise unreadable(Text("The text is in an encoding that is not known. Save the file as UTF-8."), line) from error


def _line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
