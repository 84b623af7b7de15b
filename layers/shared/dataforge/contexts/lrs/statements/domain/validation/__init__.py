"""Whether a statement follows the standard: every violation with its place, in one pass over the parsed JSON."""

from dataforge.contexts.lrs.statements.domain.rules import Rule
from dataforge.contexts.lrs.statements.domain.validation.activities import check_activity
from dataforge.contexts.lrs.statements.domain.validation.actors import (
    check_actor,
    check_agent,
    check_authority,
    check_group,
)
from dataforge.contexts.lrs.statements.domain.validation.attachments import check_attachments
from dataforge.contexts.lrs.statements.domain.validation.contexts import check_context, check_statement_ref
from dataforge.contexts.lrs.statements.domain.validation.formats import (
    check_iri,
    check_language_map,
    check_timestamp,
    check_uuid,
    check_version,
)
from dataforge.contexts.lrs.statements.domain.validation.report import Check, Report, check_members, exactly, preview
from dataforge.contexts.lrs.statements.domain.validation.results import check_result
from dataforge.contexts.lrs.statements.domain.versions import XapiVersion
from dataforge.kernel.errors import Violation
from dataforge.kernel.texts import Text

__all__ = ["VOIDED", "validate_agent", "validate_statement"]

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
"""The verb that withdraws another statement (Data 2.3.2)."""

_VERB: dict[str, Check] = {"id": check_iri, "display": check_language_map}


def _check_verb(value: object, path: str, report: Report) -> None:
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("a Verb object"))
        return
    check_members(value, path, report, _VERB, ("id",))


def _forbid_in_substatement(_: object, path: str, report: Report) -> None:
    name = path.rpartition("/")[2]
    report.add(
        path, Rule.SUBSTATEMENT, Text("A SubStatement must not have `{name}`: only whole statements do.", name=name)
    )


def _forbid_substatement(_: object, path: str, report: Report) -> None:
    report.add(path, Rule.SUBSTATEMENT, Text("A SubStatement must not contain a SubStatement."))


def _by_object_type(checks: dict[str, Check]) -> Check:
    def check(value: object, path: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.wrong_type(value, path, Text("an object"))
            return
        kind = value.get("objectType", "Activity")
        found = checks.get(kind) if isinstance(kind, str) else None
        if found is not None:
            found(value, path, report)
        elif isinstance(kind, str):
            message = Text("{kind} must be exactly one of {checks}.", kind=preview(kind), checks=", ".join(checks))
            report.add(f"{path}/objectType", Rule.ENUMERATION, message)
        else:
            report.wrong_type(kind, f"{path}/objectType", Text("a string"))

    return check


_SIMPLE_OBJECTS: dict[str, Check] = {
    "Activity": check_activity,
    "Agent": check_agent,
    "Group": check_group,
    "StatementRef": check_statement_ref,
}
_SUBSTATEMENT: dict[str, Check] = {
    "objectType": exactly("SubStatement"),
    "actor": check_actor,
    "verb": _check_verb,
    "object": _by_object_type({**_SIMPLE_OBJECTS, "SubStatement": _forbid_substatement}),
    "result": check_result,
    "context": check_context,
    "timestamp": check_timestamp,
    "attachments": check_attachments,
    **dict.fromkeys(("id", "stored", "version", "authority"), _forbid_in_substatement),
}
_REQUIRED = ("actor", "verb", "object")


def _check_substatement(value: object, path: str, report: Report) -> None:
    if isinstance(value, dict):
        check_members(value, path, report, _SUBSTATEMENT, _REQUIRED)
        _check_revision_and_platform(value, path, report)


_STATEMENT: dict[str, Check] = {
    "id": check_uuid,
    "actor": check_actor,
    "verb": _check_verb,
    "object": _by_object_type({**_SIMPLE_OBJECTS, "SubStatement": _check_substatement}),
    "result": check_result,
    "context": check_context,
    "timestamp": check_timestamp,
    "stored": check_timestamp,
    "authority": check_authority,
    "version": check_version,
    "attachments": check_attachments,
}


def _check_revision_and_platform(value: dict[str, object], path: str, report: Report) -> None:
    context, target = value.get("context"), value.get("object")
    if not isinstance(context, dict) or not isinstance(target, dict):
        return
    if target.get("objectType", "Activity") == "Activity":
        return
    for name in ("revision", "platform"):
        if name in context:
            message = Text("`{name}` is allowed only when the object is an Activity.", name=name)
            report.add(f"{path}/context/{name}", Rule.CONTEXT, message)


def _check_voiding(value: dict[str, object], path: str, report: Report) -> None:
    verb, target = value.get("verb"), value.get("object")
    if not isinstance(verb, dict) or verb.get("id") != VOIDED:
        return
    if not isinstance(target, dict) or target.get("objectType") != "StatementRef":
        message = Text("A statement that voids another one has a StatementRef with its id as object.")
        report.add(f"{path}/object", Rule.VOIDING, message)


def validate_statement(
    statement: object, *, version: XapiVersion, path: str = "", part_hashes: frozenset[str] = frozenset()
) -> list[Violation]:
    """Every rule of xAPI-Data 2 that a statement breaks; an empty list means it is valid. Never raises on any JSON.

    `path` is the JSON pointer of the statement in the request ("" when it is the whole body), `part_hashes` the SHA-2
    hashes of the attachment data that came with it.
    """
    report = Report(version, part_hashes)
    if not isinstance(statement, dict):
        report.wrong_type(statement, path, Text("a statement object"))
        return report.violations
    check_members(statement, path, report, _STATEMENT, _REQUIRED)
    _check_revision_and_platform(statement, path, report)
    _check_voiding(statement, path, report)
    return report.violations


def validate_agent(agent: object, *, path: str = "", group_allowed: bool = False) -> list[Violation]:
    """Every rule an Agent (or, where allowed, a Group) on its own breaks: query parameters and authorities."""
    report = Report()
    (check_actor if group_allowed else check_agent)(agent, path, report)
    return report.violations
