"""Transcripts from a few lines of dialogue."""

from collections.abc import Sequence

from dataforge.contexts.tutorials.transcripts.domain import Segment

MS_PER_WORD = 400


def a_talk(*lines: str, pause_ms: int = 200) -> list[Segment]:
    """Segments of `Name: what is said`; a line without a name has no speaker. Words take 0.4 s each."""
    segments: list[Segment] = []
    at = 0
    for index, line in enumerate(lines):
        name, colon, said = line.partition(": ")
        speaker, text = (name, said) if colon and name.isalpha() else (None, line)
        end = at + MS_PER_WORD * len(text.split())
        segments.append(Segment(index, at, end, text, speaker))
        at = end + pause_ms
    return segments


def numbered(segments: Sequence[Segment], times: int) -> list[Segment]:
    """The segments over and over again, with indexes and times that go on."""
    length = segments[-1].end_ms + 1000
    return [
        Segment(
            len(segments) * round_ + item.index,
            length * round_ + item.start_ms,
            length * round_ + item.end_ms,
            item.text,
            item.speaker,
        )
        for round_ in range(times)
        for item in segments
    ]
