"""Who an agent is: one person, many identifiers (xAPI Communication 2.4, the Person object)."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.lrs.statements.domain import actor_key, validate_agent
from dataforge.kernel.errors import Conflict, ValidationFailed

IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
"""The properties that identify an Agent; one has exactly one of them."""


class IdentifierLinked(Conflict):
    """The identifier is another person's; `user_id` says whose. Unlink it there first."""

    code = "identifier_linked"
    title = "The identifier belongs to another person"


class IdentifierOfAccount(Conflict):
    """The identifier is the e-mail address or pseudonym of an account, which decides by itself whose statements are."""

    code = "identifier_of_account"
    title = "The identifier is that of an account"


@dataclass(frozen=True, slots=True)
class Identifier:
    """An agent without all that does not identify it, and what its statements are found by."""

    agent: Mapping[str, object]
    key: str

    @property
    def digest(self) -> bytes:
        """What it is found by: SHA-256, because accounts have no bound."""
        return digest_of(self.key)


@dataclass(frozen=True, slots=True)
class Link:
    """An identifier of a person; one that was unlinked is kept until its statements are released."""

    id: UUID
    user_id: UUID
    key: str
    linked: bool


def digest_of(key: str) -> bytes:
    """The hash that links are found by."""
    return hashlib.sha256(key.encode()).digest()


def identifier_of(agent: Mapping[str, object], path: str) -> Identifier:
    """The identifier of an Agent; raises ValidationFailed unless it is one, by exactly one identifier."""
    violations = validate_agent(agent, path=path)
    if violations:
        raise ValidationFailed(violations[0].message, violations=violations)
    only = {name: agent[name] for name in IDENTIFIERS if name in agent}
    return Identifier({"objectType": "Agent", **only}, actor_key(agent))


def person_of(agents: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """The Person of some Agents: every property is an array, in the order in which the agents come."""
    found: dict[str, list[object]] = {}
    for agent in agents:
        for name in ("name", *IDENTIFIERS):
            if name in agent and agent[name] not in found.setdefault(name, []):
                found[name].append(agent[name])
    order = ("name", *IDENTIFIERS)
    return {"objectType": "Person", **{name: found[name] for name in order if found.get(name)}}
