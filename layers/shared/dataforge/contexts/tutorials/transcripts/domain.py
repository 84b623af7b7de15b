"""What a transcript is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Segment:
    """One utterance: `index` counts from 0 in order, `start_ms` ≤ `end_ms`, `text` is NFC with single spaces."""

    index: int
    start_ms: int
    end_ms: int
    text: str
    speaker: str | None = None
    confidence: float | None = None
