"""Captions that roll: every line is shown again above the next one, as YouTube's automatic captions are."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from dataforge.contexts.tutorials.transcripts.parsing.cues import Cue, shown_lines

_WORD_TIMES = re.compile(r"<(?:\d+:)?\d\d:\d\d\.\d{3}>")
_SAME_MOMENT_MS = 100
_FEWEST = 3
_MOST_LINES = 50
"""Of one caption that are looked for in the next; bounds the work on captions of thousands of lines."""


def unroll(cues: Sequence[Cue]) -> list[Cue]:
    """The cues with each line once, in the cue in which it is first shown; files that do not roll stay as they are.

    A line that is said twice is shown twice in one cue, and stays twice.
    """
    written = [shown_lines(cue) for cue in cues]
    if not _rolls(cues, [[text for _, text in lines] for lines in written]):
        return list(cues)
    kept: list[Cue] = []
    before: list[str] = []
    for cue, lines in zip(cues, written, strict=True):
        texts = [text for _, text in lines]
        most = min(len(texts), len(before), _MOST_LINES)
        known = next((n for n in range(most, 0, -1) if before[-n:] == texts[:n]), 0)
        if known < len(lines):
            kept.append(replace(cue, lines=tuple(line for line, _ in lines[known:])))
        if texts:
            before = texts
    return kept


def _rolls(cues: Sequence[Cue], shown: Sequence[Sequence[str]]) -> bool:
    """Whether lines are repeated by the cues that follow at once: nearly always, or often and with times of words."""
    follows = repeats = grown = 0
    for (earlier, before), (later, after) in pairwise(zip(cues, shown, strict=True)):
        if before and after and abs(later.start_ms - earlier.end_ms) <= _SAME_MOMENT_MS:
            follows += 1
            repeats += before[-1] == after[0]
            # Somebody who says the same again and again does not say it in the first of two lines.
            grown += before[-1] == after[0] and len(after) > 1
    timed = any(_WORD_TIMES.search(line) for cue in cues for line in cue.lines)
    if grown == 0 or (repeats < _FEWEST and not timed):
        return False
    return repeats * 5 >= follows * 4 or (timed and repeats * 2 >= follows)
