"""A selection of statements: the filters of GET statements, with the credential they came with and their ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from dataforge.contexts.lrs.search.domain import Kind, activity_keys, agent_keys, key_of
from dataforge.contexts.lrs.statements.domain import actor_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """`since` is exclusive, `until` inclusive, both on `stored`. What is not given restricts nothing."""

    agent: Mapping[str, Any] | None = None
    related_agents: bool = False
    verb: str | None = None
    activity: str | None = None
    related_activities: bool = False
    registration: UUID | None = None
    credential: str | None = None
    statement_ids: Sequence[UUID] | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def choices(self) -> list[tuple[UUID, ...]]:
        """Keys of which a selected statement has one of each choice."""
        found = []
        if self.agent is not None:
            found.append(agent_keys(actor_key(self.agent), related=self.related_agents))
        if self.verb is not None:
            found.append((key_of(Kind.VERB, self.verb),))
        if self.activity is not None:
            found.append(activity_keys(self.activity, related=self.related_activities))
        if self.registration is not None:
            found.append((key_of(Kind.REGISTRATION, str(self.registration)),))
        return found

    @property
    def is_only_time(self) -> bool:
        """Whether everything between two moments is selected."""
        return not self.choices and self.credential is None and self.statement_ids is None

    def up_to(self, bound: datetime) -> Self:
        """The same, and nothing stored after the bound."""
        return replace(self, until=bound if self.until is None else min(self.until, bound))

    def to_json(self) -> dict[str, Any]:
        """JSON that `from_json` reads; what is not given is left out."""
        values: dict[str, Any] = {
            "agent": self.agent,
            "related_agents": self.related_agents or None,
            "verb": self.verb,
            "activity": self.activity,
            "related_activities": self.related_activities or None,
            "registration": None if self.registration is None else str(self.registration),
            "credential": self.credential,
            "statement_ids": None if self.statement_ids is None else [str(item) for item in self.statement_ids],
            "since": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
        }
        return {name: value for name, value in values.items() if value is not None}

    def described(self) -> dict[str, Any]:
        """What is kept and shown of it when its work is done: without whom it is about."""
        return {**self.to_json(), **({"agent": "(an agent)"} if self.agent is not None else {})}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """What `to_json` has written."""
        given = dict(values)
        for name in ("since", "until"):
            if name in given:
                given[name] = datetime.fromisoformat(given[name])
        if "registration" in given:
            given["registration"] = UUID(given["registration"])
        if "statement_ids" in given:
            given["statement_ids"] = [UUID(item) for item in given["statement_ids"]]
        return cls(**given)
