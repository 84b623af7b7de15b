"""What a transcript is made of."""

from dataclasses import dataclass
from enum import StrEnum

from dataforge.kernel.errors import NotFound


class TranscriptNotFound(NotFound):
    """There is no such transcript, or not for whoever asks."""

    code = "transcript_not_found"
    title = "There is no such transcript"


class TranscriptFormat(StrEnum):
    """How a transcript was written."""

    PHRASES = "phrases"
    VTT = "vtt"
    SRT = "srt"
    ZOOM = "zoom"
    TEAMS = "teams"


@dataclass(frozen=True, slots=True)
class Segment:
    """One utterance of a transcript, whose segments are numbered from 0 in the order in which they begin.

    Times are milliseconds from the beginning of the recording, `start_ms <= end_ms`; `text` is not empty, in Unicode's
    form C and with single spaces. `confidence` is 0 to 1.
    """

    index: int
    start_ms: int
    end_ms: int
    text: str
    speaker: str | None = None
    confidence: float | None = None
