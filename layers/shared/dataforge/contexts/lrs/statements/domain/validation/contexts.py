"""Contexts: registration, instructor, team, related activities and, in 2.0, related people (Data 2.4.6)."""

from dataforge.contexts.lrs.statements.domain.rules import Rule
from dataforge.contexts.lrs.statements.domain.validation.activities import check_activity
from dataforge.contexts.lrs.statements.domain.validation.actors import check_actor, check_agent, check_group
from dataforge.contexts.lrs.statements.domain.validation.formats import (
    check_extensions,
    check_iri,
    check_language_tag,
    check_uuid,
)
from dataforge.contexts.lrs.statements.domain.validation.report import (
    Check,
    Report,
    array_of,
    check_members,
    check_string,
    exactly,
)
from dataforge.contexts.lrs.statements.domain.versions import XapiVersion
from dataforge.kernel.texts import Text

_STATEMENT_REF: dict[str, Check] = {"objectType": exactly("StatementRef"), "id": check_uuid}


def check_statement_ref(value: object, path: str, report: Report) -> None:
    """A reference to another statement by its id (Data 2.4.4.3)."""
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("a StatementRef object"))
        return
    check_members(value, path, report, _STATEMENT_REF, ("objectType", "id"))


_activities = array_of(check_activity, Text("an Activity or an array of Activities"))


def _check_related(value: object, path: str, report: Report) -> None:
    if isinstance(value, dict):  # accepted for compatibility with 0.95, returned as an array (Data 2.4.6.2)
        check_activity(value, path, report)
    else:
        _activities(value, path, report)


_CONTEXT_ACTIVITIES: dict[str, Check] = dict.fromkeys(("parent", "grouping", "category", "other"), _check_related)


def _check_context_activities(value: object, path: str, report: Report) -> None:
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("an object with parent, grouping, category or other"))
        return
    check_members(value, path, report, _CONTEXT_ACTIVITIES)


def _check_relevant_types(value: object, path: str, report: Report) -> None:
    if isinstance(value, list) and not value:
        report.add(path, Rule.CONTEXT_ROLE, Text("`relevantTypes` must not be empty; leave it out instead."))
    array_of(check_iri, Text("an array of IRIs"))(value, path, report)


_CONTEXT_AGENT: dict[str, Check] = {
    "objectType": exactly("contextAgent"),
    "agent": check_agent,
    "relevantTypes": _check_relevant_types,
}
_CONTEXT_GROUP: dict[str, Check] = {
    "objectType": exactly("contextGroup"),
    "group": check_group,
    "relevantTypes": _check_relevant_types,
}


def _check_context_agent(value: object, path: str, report: Report) -> None:
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("a contextAgent object"))
        return
    check_members(value, path, report, _CONTEXT_AGENT, ("objectType", "agent"))


def _check_context_group(value: object, path: str, report: Report) -> None:
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("a contextGroup object"))
        return
    check_members(value, path, report, _CONTEXT_GROUP, ("objectType", "group"))


_CONTEXT_1_0: dict[str, Check] = {
    "registration": check_uuid,
    "instructor": check_actor,
    "team": check_group,
    "contextActivities": _check_context_activities,
    "revision": check_string,
    "platform": check_string,
    "language": check_language_tag,
    "statement": check_statement_ref,
    "extensions": check_extensions,
}
_CONTEXT_2_0: dict[str, Check] = {
    **_CONTEXT_1_0,
    "contextAgents": array_of(_check_context_agent, Text("an array of contextAgents")),
    "contextGroups": array_of(_check_context_group, Text("an array of contextGroups")),
}


def check_context(value: object, path: str, report: Report) -> None:
    """The circumstances; contextAgents and contextGroups exist in 2.0 only."""
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("an object"))
        return
    check_members(value, path, report, _CONTEXT_2_0 if report.version is XapiVersion.V2_0 else _CONTEXT_1_0)
