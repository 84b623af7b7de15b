"""WebVTT (W3C) to cues: webvtt-py reads the blocks, this finds what it would leave out without a word."""

import re
from collections.abc import Iterator, Sequence

from dataforge.contexts.tutorials.transcripts.domain import unreadable
from dataforge.contexts.tutorials.transcripts.parsing.cues import Cue
from dataforge.kernel.texts import Text

_TIME = r"(?:\d{1,10}:)?[0-5]?\d:[0-5]?\d\.\d{1,3}"
TIME_SPAN = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}")
_OTHER_BLOCK = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)(?:\s|$)")
_COUNTER = re.compile(r"\s*\d+\s*")
_LANGUAGE = re.compile(r"\s*language\s*:\s*([a-z]{2,3}(?:-[a-z0-9]{2,8})*)\s*", re.IGNORECASE)


def read_webvtt(text: str, *, first_line: int = 1) -> tuple[list[Cue], str | None]:
    """The cues in the order of the file, whose lines count from `first_line`, and the language that its head names.

    Raises TranscriptUnreadable for a line with an arrow that gives no times. `X-TIMESTAMP-MAP` says how a stream's
    clock runs, not where in the recording a cue is, and changes no times. Text between cues, which the format would
    have readers skip, belongs to the cue before it.
    """
    from webvtt import WebVTT

    blocks, numbers = _blocks_for_reader(text.split("\n"), first_line)
    captions = WebVTT.from_string("\n\n".join("\n".join(block) for block in blocks))
    if len(captions) != len(numbers):
        raise unreadable(
            Text("From here on the file breaks the rules of WebVTT."), numbers[0] if numbers else first_line
        )
    cues = []
    for position, (caption, number) in enumerate(zip(captions.captions, numbers, strict=True)):
        # Notes before the first cue are the file's in webvtt-py.
        notes = captions.header_comments if position == 0 else caption.comments
        cues.append(
            Cue(
                start_ms=caption.start_time.in_milliseconds(),
                end_ms=caption.end_time.in_milliseconds(),
                lines=tuple(caption.lines),
                line=number,
                identifier=caption.identifier,
                notes=tuple(notes),
            )
        )
    heads = [*captions.metadata, *captions.header_comments]
    return cues, next((match[1] for head in heads if (match := _LANGUAGE.fullmatch(head))), None)


def _blocks_for_reader(lines: Sequence[str], first_line: int) -> tuple[list[list[str]], list[int]]:
    """Blocks with all the text of a cue in its own one, and the number of the line of each cue's times."""
    blocks: list[list[str]] = []
    numbers: list[int] = []
    cue: list[str] | None = None
    pieces = [piece for block in _blocks(lines, first_line) for piece in _pieces(*block)]
    for place, (number, piece) in enumerate(pieces):
        if number is not None:
            cue = piece
            numbers.append(number)
        elif cue is not None and _OTHER_BLOCK.match(piece[0]) is None:
            timed_next = place + 1 < len(pieces) and pieces[place + 1][0] is not None
            if not (timed_next and len(piece) == 1 and _COUNTER.fullmatch(piece[0])):
                cue += piece
            continue
        blocks.append(piece)
    return blocks, numbers


def _pieces(first: int, block: Sequence[str]) -> Iterator[tuple[int | None, list[str]]]:
    """The parts of a block: each cue with the number of the line of its times, and what stands before the first."""
    begins: int | None = None
    since = 0
    for place, line in enumerate(block):
        if "-->" not in line:
            continue
        if TIME_SPAN.match(line) is None:
            raise unreadable(Text("This line gives no times, such as 00:01.000 --> 00:04.500."), first + place)
        head = place
        if place > since and _is_identifier(block[place - 1], alone=place == 1):
            head = place - 1
        if head > since:
            yield begins, list(block[since:head])
        begins, since = first + place, head
    yield begins, list(block[since:])


def _is_identifier(line: str, *, alone: bool) -> bool:
    """Whether a line above times belongs to them: a number, or whatever it is if no other line is above."""
    if _COUNTER.fullmatch(line):
        return True
    return alone and "-->" not in line and not line.startswith("WEBVTT")


def _blocks(lines: Sequence[str], first_line: int) -> Iterator[tuple[int, list[str]]]:
    """Blocks of lines between empty ones, each with the number of its first line."""
    block: list[str] = []
    for number, line in enumerate(lines, first_line):
        if line:
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []
    if block:
        yield first_line + len(lines) - len(block), block
