"""Agents and Groups: who acts, instructs, belongs to a team, or vouches (Data 2.4.2)."""

import re

from dataforge.contexts.lrs.statements.domain.rules import Rule
from dataforge.contexts.lrs.statements.domain.validation.formats import check_iri
from dataforge.contexts.lrs.statements.domain.validation.report import (
    Check,
    Report,
    array_of,
    check_members,
    check_string,
    exactly,
    preview,
)
from dataforge.kernel.texts import Text

IFIS = ("mbox", "mbox_sha1sum", "openid", "account")
"""The inverse functional identifiers; exactly one names an Agent or an identified Group (Data 2.4.2.3)."""

_MBOX = re.compile(r"mailto:[^\s@<>,;\x00-\x20]+@[^\s@<>,;?\x00-\x20]+\Z", re.IGNORECASE)
_SHA1 = re.compile(r"[0-9A-Fa-f]{40}\Z")


def _check_mbox(value: object, path: str, report: Report) -> None:
    if not isinstance(value, str):
        report.wrong_type(value, path, Text("a string of the form mailto:name@host"))
    elif _MBOX.match(value) is None:
        report.add(path, Rule.MBOX, Text("This must be an e-mail address of the form mailto:name@host."))


def _check_sha1(value: object, path: str, report: Report) -> None:
    if not isinstance(value, str):
        report.wrong_type(value, path, Text("a string with 40 hex digits"))
    elif _SHA1.match(value) is None:
        report.add(path, Rule.SHA1, Text("This must be the SHA-1 of a mailto IRI: 40 hex digits."))


_ACCOUNT: dict[str, Check] = {"homePage": check_iri, "name": check_string}


def _check_account(value: object, path: str, report: Report) -> None:
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("an object with homePage and name"))
        return
    check_members(value, path, report, _ACCOUNT, ("homePage", "name"))


_AGENT: dict[str, Check] = {
    "objectType": exactly("Agent"),
    "name": check_string,
    "mbox": _check_mbox,
    "mbox_sha1sum": _check_sha1,
    "openid": check_iri,
    "account": _check_account,
}


def _identifiers(value: dict[str, object]) -> list[str]:
    return [name for name in IFIS if name in value]


def check_agent(value: object, path: str, report: Report) -> None:
    """An Agent with exactly one identifier; `objectType` may be left out."""
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("an Agent object"))
        return
    check_members(value, path, report, _AGENT)
    found = _identifiers(value)
    if len(found) != 1:
        has = Text("none of them") if not found else " and ".join(found)
        message = Text(
            "An Agent has exactly one of mbox, mbox_sha1sum, openid and account; this one has {has}.", has=has
        )
        report.add(path, Rule.IFI, message)


_GROUP: dict[str, Check] = {
    **_AGENT,
    "objectType": exactly("Group"),
    "member": array_of(check_agent, Text("an array of Agents")),
}


def check_group(value: object, path: str, report: Report) -> None:
    """A Group: identified by exactly one identifier, or anonymous with its members listed (Data 2.4.2.2)."""
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("a Group object"))
        return
    check_members(value, path, report, _GROUP, ("objectType",))
    found = _identifiers(value)
    if len(found) > 1:
        report.add(
            path, Rule.IFI, Text("A Group has at most one identifier; this one has {found}.", found=" and ".join(found))
        )
    elif not found and "member" not in value:
        report.add(path, Rule.GROUP, Text("A Group without an identifier must list its Agents in `member`."))


def check_actor(value: object, path: str, report: Report) -> None:
    """An Agent or a Group."""
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("an Agent or Group object"))
        return
    kind = value.get("objectType", "Agent")
    if kind == "Group":
        check_group(value, path, report)
    elif kind == "Agent" or not isinstance(kind, str):
        check_agent(value, path, report)
    else:
        report.add(
            f"{path}/objectType",
            Rule.ENUMERATION,
            Text('{kind} must be exactly "Agent" or "Group".', kind=preview(kind)),
        )


def check_authority(value: object, path: str, report: Report) -> None:
    """An Agent, or an anonymous Group of exactly two: an application and a user (Data 2.4.9)."""
    check_actor(value, path, report)
    if not isinstance(value, dict) or value.get("objectType") != "Group":
        return
    if _identifiers(value):
        report.add(path, Rule.AUTHORITY, Text("A Group that is an authority must be anonymous: it has an identifier."))
    members = value.get("member")
    if not isinstance(members, list) or len(members) != 2:
        report.add(
            path, Rule.AUTHORITY, Text("A Group that is an authority has exactly two members: application and user.")
        )
