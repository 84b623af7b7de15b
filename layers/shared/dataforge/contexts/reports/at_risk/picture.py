"""How long learners at risk have been away."""

from itertools import pairwise

from dataforge.contexts.reports.at_risk.domain import AtRiskReport
from dataforge.contexts.reports.captions import caption_of, shown_of
from dataforge.contexts.reports.pictures.histogram import Bin, Histogram, draw_histogram

_EDGES = (7, 14, 30, 60, 90, 180, 365)


def picture_of_at_risk(report: AtRiskReport) -> str:
    """An SVG with how many learners of the page have been idle for how many days; those never started at the end."""
    edges = [report.idle_days, *(edge for edge in _EDGES if edge > report.idle_days)]
    days = [item.idle_days for item in report.learners if item.idle_days is not None]
    bins = [Bin(_class(least, below), sum(least <= idle < below for idle in days)) for least, below in pairwise(edges)]
    bins.append(Bin(f"{edges[-1]} or more", sum(idle >= edges[-1] for idle in days)))
    if report.include_never_started:
        bins.append(Bin("never started", len(report.learners) - len(days)))
    shown = shown_of(len(report.learners), report.total, "learner")
    caption = caption_of("Learners at risk by days without activity", report.basis, shown)
    return draw_histogram(caption, Histogram(bins, "learners", "Days since the last activity"))


def _class(least: int, below: int) -> str:
    return f"{least}" if below == least + 1 else f"{least}–{below - 1}"
