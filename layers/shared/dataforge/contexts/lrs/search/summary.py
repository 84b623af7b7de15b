"""A statement in a line, for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.contexts.lrs.statements.domain import actor_key, parse_timestamp, read_statement


@dataclass(frozen=True, slots=True)
class StatementLine:
    """Who did what, when; `facts` are what came of it, `actor` is what the person is looked for by."""

    id: UUID
    at: datetime
    who: str
    actor: str
    verb: str
    what: str
    facts: tuple[tuple[str, str], ...]


def line_of(statement_id: UUID, stored_at: datetime, body: str) -> StatementLine:
    """The line of a stored statement."""
    statement = read_statement(body)
    actor, verb, target = (_member(statement, name) for name in ("actor", "verb", "object"))
    key = actor_key(actor)
    return StatementLine(
        statement_id,
        parse_timestamp(str(statement.get("timestamp"))) or stored_at,
        _who(actor),
        key.removeprefix("mailto:"),
        _text(verb.get("display")) or str(verb.get("id", "")).rstrip("/").rpartition("/")[2],
        _target(target),
        tuple(_facts(_member(statement, "result"))),
    )


def _who(agent: Mapping[str, object]) -> str:
    """A name that people know: of an account without a name the part that tells it from others of its home page."""
    account = _member(agent, "account")
    return str(agent.get("name") or account.get("name") or actor_key(agent).removeprefix("mailto:"))


def _target(target: Mapping[str, object]) -> str:
    kind = target.get("objectType", "Activity")
    if kind == "StatementRef":
        return f"statement {target.get('id')}"
    if kind == "SubStatement":
        return f"“{_text(_member(target, 'verb').get('display')) or 'a statement'}” of somebody"
    if kind in ("Agent", "Group"):
        return _who(target)
    return _text(_member(target, "definition").get("name")) or str(target.get("id"))


def _facts(result: Mapping[str, object]) -> list[tuple[str, str]]:
    facts = []
    for name, good, bad in (("completion", "completed", "not completed"), ("success", "passed", "failed")):
        if isinstance(result.get(name), bool):
            facts.append((good, "good") if result[name] else (bad, "bad"))
    score = _member(result, "score")
    for name, text in (("scaled", "score {}"), ("raw", "{} points")):
        if name in score:
            facts.append((text.format(score[name]), "info"))
            break
    return facts


def _text(languages: object) -> str:
    """A language map's text: English if there is any."""
    if not isinstance(languages, dict) or not languages:
        return ""
    english = next((text for tag, text in languages.items() if str(tag).lower().startswith("en")), None)
    return str(english or next(iter(languages.values())))


def _member(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}
