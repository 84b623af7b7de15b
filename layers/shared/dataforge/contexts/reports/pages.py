"""Pages of reports: every noun adds its pages to the one router."""

from dataforge.contexts.reports.activity import pages as activity
from dataforge.contexts.reports.at_risk import pages as at_risk
from dataforge.contexts.reports.cohort import pages as cohort
from dataforge.contexts.reports.comparison import pages as comparison
from dataforge.contexts.reports.completions import pages as completions
from dataforge.contexts.reports.funnel import pages as funnel
from dataforge.contexts.reports.incomplete import pages as incomplete
from dataforge.contexts.reports.learner import pages as learner
from dataforge.contexts.reports.overview import pages as overview
from dataforge.contexts.reports.page_calls import router
from dataforge.contexts.reports.questions import pages as questions

__all__ = [
    "activity",
    "at_risk",
    "cohort",
    "comparison",
    "completions",
    "funnel",
    "incomplete",
    "learner",
    "overview",
    "questions",
    "router",
]
