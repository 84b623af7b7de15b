"""SubRip's format to cues: webvtt-py reads the cues, once their counters and times are as it wants them."""

import re
from collections.abc import Iterator, Sequence
from io import StringIO

from dataforge.contexts.tutorials.transcripts.domain import unreadable
from dataforge.contexts.tutorials.transcripts.parsing.cues import Cue
from dataforge.kernel.texts import Text

# Hours may have more than two digits, the comma may be a point, and spaces may be anywhere around the arrow.
_TIME = r"(\d{1,10}:[0-5]?\d:[0-5]?\d)(?:[.,](\d{1,3}))?"
TIME_SPAN = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?!\d)")
_COUNTER = re.compile(r"\s*\d{1,10}\s*")


def read_srt(text: str) -> list[Cue]:
    """The cues that have a text, in the order of the file.

    Counters may be missing or wrong, and empty lines within the text of a cue end nothing. Raises TranscriptUnreadable
    for a line with an arrow that gives no times.
    """
    from webvtt import WebVTT

    blocks = [block for block in _blocks(text.split("\n")) if block[2]]
    if not blocks:
        return []
    written = "\n\n".join("\n".join(("1", times, *content)) for _, times, content in blocks)
    captions = WebVTT.from_buffer(StringIO(written), format="srt").captions
    if len(captions) != len(blocks):
        raise unreadable(Text("From here on the file breaks the rules of SRT."), blocks[0][0])
    return [
        Cue(
            start_ms=caption.start_time.in_milliseconds(),
            end_ms=caption.end_time.in_milliseconds(),
            lines=tuple(caption.lines),
            line=number,
        )
        for (number, _, _), caption in zip(blocks, captions, strict=True)
    ]


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Each cue: the number of the line of its times, counted from 1, its times, and the lines of its text."""
    places = [place for place, line in enumerate(lines) if "-->" in line]
    head = [line for line in lines[: places[0]] if line.strip()] if places else []
    counted = len(head) == 1 and _COUNTER.fullmatch(head[0]) is not None
    if head and not counted:
        raise unreadable(Text("There is text before the first times."), lines.index(head[0]) + 1)
    for place, following in zip(places, [*places[1:], None], strict=True):
        times = TIME_SPAN.match(lines[place])
        if times is None:
            raise unreadable(Text("This line gives no times, such as 00:00:01,000 --> 00:00:04,500."), place + 1)
        content = [line.strip() for line in lines[place + 1 : following] if line.strip()]
        if counted and following is not None and content and _COUNTER.fullmatch(content[-1]):
            content.pop()  # that of the next cue
        start, start_part, end, end_part = times.groups(default="0")
        yield place + 1, f"{start},{start_part:0<3} --> {end},{end_part:0<3}", content
