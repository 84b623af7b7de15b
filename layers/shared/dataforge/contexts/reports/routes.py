"""REST of reports: every noun adds its routes to the one router, since one address has one owner (ADR 1)."""

from dataforge.contexts.reports.activity import routes as activity
from dataforge.contexts.reports.at_risk import routes as at_risk
from dataforge.contexts.reports.calls import router
from dataforge.contexts.reports.cohort import routes as cohort
from dataforge.contexts.reports.comparison import routes as comparison
from dataforge.contexts.reports.completions import routes as completions
from dataforge.contexts.reports.funnel import routes as funnel
from dataforge.contexts.reports.incomplete import routes as incomplete
from dataforge.contexts.reports.learner import routes as learner
from dataforge.contexts.reports.questions import routes as questions
from dataforge.contexts.reports.relations import routes as relations

__all__ = [
    "activity",
    "at_risk",
    "cohort",
    "comparison",
    "completions",
    "funnel",
    "incomplete",
    "learner",
    "questions",
    "relations",
    "router",
]
