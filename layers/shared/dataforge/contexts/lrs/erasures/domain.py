"""Who is erased, and what becomes of a statement in which they occur."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from dataforge.contexts.lrs.search.domain import Kind, key_of
from dataforge.contexts.lrs.statements.domain import actor_email, actor_key

KIND = "erase_person"
HOME_PAGE = "https://erased.invalid"
"""The home page of accounts that stand for erased people (RFC 2606: nobody's)."""
ERASED = "erased"
_SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
_IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
_KINDS = (Kind.AGENT, Kind.RELATED_AGENT, Kind.AUTHORITY)

Json = Mapping[str, Any]


def identities_of(agent: Json) -> set[str]:
    """What an Agent may be known by: its key, and the SHA-1 of its mbox, which others may have sent instead."""
    found, mbox = {actor_key(agent)}, agent.get("mbox")
    if isinstance(mbox, str):
        sums = {hashlib.sha1(form.encode(), usedforsecurity=False).hexdigest() for form in (mbox, mbox.lower())}
        found |= {f"sha1:{digest}" for digest in sums}
    return found


def search_keys(identities: Iterable[str]) -> list[UUID]:
    """The keys of statements in which somebody with one of the identities occurs."""
    return sorted(key_of(kind, identity) for identity in identities for kind in _KINDS)


@dataclass(frozen=True, slots=True)
class Erase:
    """A person by all their Agents; with `responses` what they have answered goes too."""

    agents: Sequence[Mapping[str, Any]]
    responses: bool = False


@dataclass(frozen=True, slots=True)
class ErasedPerson:
    """Somebody by all their identifiers."""

    identities: frozenset[str]
    emails: frozenset[str]

    @classmethod
    def of(cls, agents: Iterable[Json]) -> "ErasedPerson":
        """The person that these Agents are."""
        listed = list(agents)
        emails = (actor_email(agent) for agent in listed)
        return cls(
            frozenset(identity for agent in listed for identity in identities_of(agent)),
            frozenset(email for email in emails if email is not None),
        )

    def is_agent(self, agent: Json) -> bool:
        """Whether an Agent is the person."""
        return not identities_of(agent).isdisjoint(self.identities)


@dataclass(frozen=True, slots=True)
class Anonymiser:
    """Takes a person out of statements.

    They become an account of a random name: nothing leads from the person to it. With `responses` what they have
    answered in their own statements goes too.
    """

    is_person: Callable[[Json], bool]
    emails: frozenset[str]
    responses: bool
    pseudonym: str

    @classmethod
    def of(
        cls, is_person: Callable[[Json], bool], *, emails: Iterable[str] = (), responses: bool, pseudonym: str = ""
    ) -> "Anonymiser":
        """With a pseudonym that was made before, or a new one."""
        return cls(is_person, frozenset(emails), responses, pseudonym or str(uuid4()))

    @property
    def agent(self) -> dict[str, Any]:
        """Who they are from now on."""
        return {"account": {"homePage": HOME_PAGE, "name": self.pseudonym}}

    def apply(self, statement: Json) -> dict[str, Any]:
        """The statement without the person.

        Attachments of their own statements are left out, and everywhere signatures, which hold the statement as it was.
        """
        emails = self.emails | set(self._emails_in(statement))
        own, words = self._is_own(statement), _any_of(emails)
        found: dict[str, Any] = self._without(statement, words)
        if found == statement and not own:
            return found
        for part in (found, found.get("object")):
            if isinstance(part, dict) and isinstance(part.get("attachments"), list):
                kept = [] if own else [item for item in part["attachments"] if not _is_signature(item)]
                part.pop("attachments")
                if kept:
                    part["attachments"] = kept
        if own and self.responses and isinstance(found.get("result"), dict):
            found["result"].pop("response", None)
        return found

    def _is_own(self, statement: Json) -> bool:
        actor = statement.get("actor")
        return isinstance(actor, dict) and _is_identified(actor) and self.is_person(actor)

    def _emails_in(self, value: object) -> Iterable[str]:
        if isinstance(value, dict):
            if _is_identified(value) and self.is_person(value) and (email := actor_email(value)) is not None:
                yield email
            for item in value.values():
                yield from self._emails_in(item)
        elif isinstance(value, list):
            for item in value:
                yield from self._emails_in(item)

    def _without(self, value: Any, words: "re.Pattern[str] | None") -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(value, dict):
            if _is_identified(value) and self.is_person(value):
                kind = {"objectType": value["objectType"]} if "objectType" in value else {}
                return {**kind, **self.agent}
            return {name: self._without(item, words) for name, item in value.items()}
        if isinstance(value, list):
            return [self._without(item, words) for item in value]
        if isinstance(value, str) and words is not None:
            return words.sub(ERASED, value)
        return value


def without_erased(statement_id: UUID, statement: Json, erased: Mapping[UUID, bool]) -> dict[str, Any]:
    """A statement that comes later without erased people, known by their search keys and whether responses go too.

    Its own id is the pseudonym: nothing tells whom of the erased it was, and the same statement that comes again is the
    same without them.
    """

    def is_erased(agent: Json) -> bool:
        return not erased.keys().isdisjoint(search_keys(identities_of(agent)))

    actor = statement.get("actor")
    own = search_keys(identities_of(actor)) if isinstance(actor, dict) and _is_identified(actor) else []
    responses = any(erased.get(key, False) for key in own)
    return Anonymiser.of(is_erased, responses=responses, pseudonym=str(statement_id)).apply(statement)


def _is_identified(value: Json) -> bool:
    return any(isinstance(value.get(name), str | dict) for name in _IDENTIFIERS)


def _is_signature(item: object) -> bool:
    return isinstance(item, dict) and item.get("usageType") == _SIGNATURE


def _any_of(emails: Iterable[str]) -> "re.Pattern[str] | None":
    """What finds e-mail addresses in a text; not one within a longer one."""
    escaped = "|".join(re.escape(email) for email in sorted(emails))
    return re.compile(rf"(?<![\w.+%-])(?:{escaped})(?![\w-]|\.\w)", re.IGNORECASE) if escaped else None


def mentions(body: str, person: ErasedPerson) -> bool:
    """Whether a text that may be no JSON mentions the person: an address, an account, or another identifier."""
    words = _any_of(person.emails)
    if words is not None and words.search(body):
        return True
    return any(_names(body, identity) for identity in person.identities)


def _names(body: str, identity: str) -> bool:
    home_page, bar, name = identity.partition("|")
    if bar:  # a name alone may be anybody's
        return home_page in body and re.search(rf'"name"\s*:\s*"{re.escape(name)}"', body) is not None
    return not identity.startswith("mailto:") and identity.removeprefix("sha1:").lower() in body.lower()
