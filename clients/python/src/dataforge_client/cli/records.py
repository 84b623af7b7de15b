"""Statements from a shell: sent in bulk, found again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from dataforge_client.cli.console import REFUSED, fail, plain, settings_of

app = typer.Typer(
    help="Learning records (xAPI), as the key in DATAFORGE_XAPI_KEY and DATAFORGE_XAPI_SECRET.", no_args_is_help=True
)


@app.command()
def send(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="JSON lines, or one JSON array; standard input without."),
    ] = None,
    *,
    skip_refused: Annotated[
        bool, typer.Option("--skip-refused", help="Send the others, and list what was refused; status 3 then.")
    ] = False,
) -> None:
    """Send statements, as many as there are.

    [dim]dataforge lrs send statements.jsonl[/]
    """
    settings = settings_of(context)
    with settings.client() as client:
        if file is None:
            sent = client.lrs.send(statements_in(sys.stdin, "standard input"), skip_refused=skip_refused)
        else:
            with file.open(encoding="utf-8") as text:
                sent = client.lrs.send(statements_in(text, str(file)), skip_refused=skip_refused)
    settings.note(f"{sent.accepted:,} accepted, {len(sent.refused):,} refused")
    refusals = [
        {"statement": item.statement, "detail": item.error.detail, "code": item.error.code} for item in sent.refused
    ]
    if settings.as_json:
        settings.one({"accepted": sent.accepted, "refused": refusals})
    elif refusals:
        settings.rows(refusals, ("detail", "statement"))
    if refusals:
        raise typer.Exit(REFUSED)


def statements_in(text: TextIO, name: str) -> Iterator[dict[str, Any]]:
    """The statements of JSON lines, read as they go, or of one JSON array; ends the program at what is neither."""
    for number, line in enumerate(text, 1):
        if not line.strip():
            continue
        if line.lstrip().startswith("[") and number == 1:
            yield from _array(line + text.read(), name)
            return
        try:
            statement = json.loads(line)
        except ValueError as error:
            fail(f"{name}, line {number}: {error}")
        if not isinstance(statement, dict):
            fail(f"{name}, line {number}: a statement is a JSON object.")
        yield statement


def _array(text: str, name: str) -> list[dict[str, Any]]:
    try:
        statements = json.loads(text)
    except ValueError as error:
        fail(f"{name}: {error}")
    if not all(isinstance(item, dict) for item in statements):
        fail(f"{name}: a statement is a JSON object.")
    return list(statements)


@app.command()
def query(
    context: typer.Context,
    verb: Annotated[str | None, typer.Option(help="IRI of a verb.")] = None,
    activity: Annotated[str | None, typer.Option(help="IRI of an activity.")] = None,
    email: Annotated[str | None, typer.Option(help="Address of an actor.")] = None,
    since: Annotated[str | None, typer.Option(help="Stored after this instant.")] = None,
    until: Annotated[str | None, typer.Option(help="Stored until this instant.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Statements at most.")] = 20,
) -> None:
    """Statements, newest first; with `--json` whole, one a line."""
    settings = settings_of(context)
    agent = {"mbox": f"mailto:{email}"} if email else None
    with settings.client() as client:
        found = client.lrs.query(
            verb=verb, activity=activity, agent=agent, since=since, until=until, limit=min(limit, 500)
        )
        statements = islice(found, limit)
        if settings.as_json:
            settings.rows(statements)
        else:
            settings.rows((_line(statement) for statement in statements), ("stored", "actor", "verb", "object", "id"))


def _line(statement: dict[str, Any]) -> dict[str, Any]:
    actor, verb, target = (plain(statement.get(name) or {}) for name in ("actor", "verb", "object"))
    account = actor.get("account") or {}
    who = actor.get("name") or actor.get("mbox", "").removeprefix("mailto:") or account.get("name")
    return {
        "stored": statement.get("stored"),
        "actor": who,
        "verb": str(verb.get("id", "")).rpartition("/")[2],
        "object": target.get("id"),
        "id": statement.get("id"),
    }
