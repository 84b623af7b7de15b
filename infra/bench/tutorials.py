"""How good drafts are, against labels made by hand, and how long an hour takes: `python -m infra.bench tutorials`.

Printed for each transcript and as means, those that nobody looked at while tuning apart, and beside a naive baseline.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dataforge.contexts.tutorials.drafts.domain import DraftEngine
from dataforge.contexts.tutorials.drafts.extraction.engine import ExtractiveEngine
from dataforge.contexts.tutorials.transcripts.domain import Segment
from infra.bench.figure import Figure, show
from infra.bench.tutorial_quality import Labelled, Quality, answer_of, baseline, held_out, judge, mean, open_ones

PRECISION, RECALL, PK = 0.7, 0.7, 0.3
HOUR_MS = 3_600_000
SECONDS = 2.0


def figures(name: str, quality: Quality, beside: Quality) -> Iterator[Figure]:
    """The figures of one transcript, or of several, with those of the baseline after each."""
    yield Figure(f"{name}: step precision", quality.precision, PRECISION, at_least=True)
    yield Figure(f"{name}: step precision of the baseline", beside.precision)
    yield Figure(f"{name}: step recall", quality.recall, RECALL, at_least=True)
    yield Figure(f"{name}: step recall of the baseline", beside.recall)
    yield Figure(f"{name}: F1 of steps", quality.f1)
    yield Figure(f"{name}: F1 of steps of the baseline", beside.f1)
    yield Figure(f"{name}: Pk of topics", quality.pk, PK)
    yield Figure(f"{name}: Pk of topics of the baseline", beside.pk)
    yield Figure(f"{name}: WindowDiff of topics", quality.window_diff)
    yield Figure(f"{name}: WindowDiff of topics of the baseline", beside.window_diff)
    yield Figure(f"{name}: expert found", float(quality.expert), 1, at_least=True)
    yield Figure(f"{name}: expert found by the baseline", float(beside.expert))


async def judged(engine: DraftEngine, labelled: Labelled) -> tuple[Quality, Quality]:
    """The quality of the engine's draft and of the baseline."""
    draft = await engine.draft(labelled.segments, labelled.language)
    return judge(labelled, answer_of(draft)), judge(labelled, baseline(labelled))


async def qualities(engine: DraftEngine, part: str, transcripts: Sequence[Labelled]) -> int:
    """Print the figures of each transcript and their means; returns how many limits were missed."""
    pairs = [await judged(engine, labelled) for labelled in transcripts]
    missed = 0
    for labelled, (quality, beside) in zip(transcripts, pairs, strict=True):
        missed += show(part, figures(labelled.name, quality, beside))
    missed += show(part, figures("mean", mean(one for one, _ in pairs), mean(one for _, one in pairs)))
    return missed


def hour(transcripts: Sequence[Labelled]) -> tuple[Segment, ...]:
    """Transcripts one after the other, again from the first when they are over, until there is an hour."""
    segments: list[Segment] = []
    offset = 0
    for labelled in itertools.cycle(transcripts):
        for segment in labelled.segments:
            begins, ends = segment.start_ms + offset, segment.end_ms + offset
            segments.append(replace(segment, index=len(segments), start_ms=begins, end_ms=ends))
        offset = segments[-1].end_ms
        if offset >= HOUR_MS:
            return tuple(segments)
    raise ValueError("no transcripts")


async def seconds(engine: DraftEngine, language: str) -> float:
    """Seconds that the draft of an hour in a language takes."""
    segments = hour([labelled for labelled in open_ones() if labelled.language == language])
    began = time.perf_counter()
    await engine.draft(segments, language)
    return time.perf_counter() - began


async def main() -> int:
    """Print all figures; 1 when a limit was missed."""
    engine = ExtractiveEngine()
    missed = await qualities(engine, "open", open_ones())
    missed += await qualities(engine, "held out", held_out())
    missed += show(
        "speed",
        [Figure(f"draft of an hour, {code} (s)", await seconds(engine, code), SECONDS) for code in ("en", "de")],
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
