"""When completions became known."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from dataforge.contexts.reports.captions import caption_of
from dataforge.contexts.reports.completions.domain import CompletionChanges
from dataforge.contexts.reports.pictures.series_chart import Series, SeriesChart, draw_series
from dataforge.contexts.reports.pictures.text import instant

_LONGEST = 120  # periods, before they become longer


def picture_of_completions(report: CompletionChanges) -> str:
    """An SVG with how many completions of the page became known, and were withdrawn, in each day, week or 30 days."""
    times = [item.changed_at for item in report.changes]
    starts, end = _periods(times) if times else ([], report.basis.watermark)
    step = (end - starts[0]) / len(starts) if starts else timedelta(days=1)
    added = Counter((item.changed_at - starts[0]) // step for item in report.changes if item.completed_at is not None)
    taken = Counter((item.changed_at - starts[0]) // step for item in report.changes if item.completed_at is None)
    series = [
        Series("Completions", [added[position] for position in range(len(starts))], added.total()),
        Series("Withdrawn", [taken[position] for position in range(len(starts))], taken.total()),
    ]
    more = "there are more" if report.next_key is not None else ""
    caption = caption_of("Completions by when they became known", report.basis, f"since {instant(report.since)}", more)
    return draw_series(caption, SeriesChart(starts, end, series))


def _periods(times: list[datetime]) -> tuple[list[datetime], datetime]:
    """Days of UTC from the first to the last of these times, or longer periods if they would be too many."""
    first = min(times).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = (max(times) - first) // timedelta(days=1) + 1
    length = next((length for length in (1, 7, 30) if days <= length * _LONGEST), 365)
    number = -(-days // length)
    step = timedelta(days=length)
    return [first + step * position for position in range(number)], first + step * number
