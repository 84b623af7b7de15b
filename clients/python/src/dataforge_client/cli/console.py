"""What commands share: the client they ask, and how their answers are shown: tables for people, JSON for programs."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dataforge_client.client import Client
from dataforge_client.errors import ApiError, ClientError, NotConfigured, PlanStale, RefMoved, Unauthorized

# What a script can tell apart.
FAILED, USAGE, REFUSED, NOT_SIGNED_IN, MOVED, DIFFERENT = 1, 2, 3, 4, 5, 6


@dataclass(frozen=True, slots=True)
class Settings:
    """The options before the command."""

    profile: str | None = None
    as_json: bool = False

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client of the profile, closed at the end."""
        with Client.from_env(self.profile) as client:
            yield client

    def rows(self, rows: Iterable[Any], columns: Sequence[str] = ()) -> None:
        """Show a list: a table of these columns, or one JSON object a line with all of them."""
        if self.as_json:
            for row in rows:
                typer.echo(json.dumps(plain(row), ensure_ascii=False, default=str))
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column.replace("_", " "), overflow="fold")
        for row in rows:
            values = plain(row)
            table.add_row(*(Text(_cell(values.get(column))) for column in columns))  # no markup: it is people's
        stdout().print(table)

    def one(self, value: Any, names: Sequence[str] = ()) -> None:  # noqa: ANN401 - any JSON value
        """Show one thing: its members under each other, or as one JSON object."""
        values = plain(value)
        if self.as_json:
            typer.echo(json.dumps(values, ensure_ascii=False, default=str))
            return
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name in names or values:
            table.add_row(Text(name.replace("_", " ")), Text(_cell(values.get(name))))
        stdout().print(table)

    def note(self, text: str) -> None:
        """Say something to a person; programs that asked for JSON do not hear it."""
        if not self.as_json:
            stdout().print(text, markup=False, highlight=False)


def stdout() -> Console:
    """Where answers go: as wide as a terminal is, and whole in a pipe."""
    return Console(width=None if sys.stdout.isatty() else 10_000, highlight=False, soft_wrap=not sys.stdout.isatty())


def settings_of(context: typer.Context) -> Settings:
    """The options before the command."""
    found = context.find_object(Settings)
    return found or Settings()


def plain(value: Any) -> dict[str, Any]:  # noqa: ANN401 - rows of any kind
    """The members of a row."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return dict(value) if isinstance(value, Mapping) else {"value": value}


def _cell(value: Any) -> str:  # noqa: ANN401 - a member of any kind
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M")
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)


def tell(message: str, code: int) -> int:
    """Say on standard error what went wrong; gives the exit status."""
    Console(stderr=True, highlight=False).print(f"error: {message}", markup=False, soft_wrap=True)
    return code


def fail(message: str, code: int = FAILED) -> NoReturn:
    """End with a message on standard error."""
    raise typer.Exit(tell(message, code))


def explain(error: ClientError) -> tuple[str, int]:
    """What to say of an error, and the exit status."""
    match error:
        case NotConfigured():
            return str(error), NOT_SIGNED_IN
        case Unauthorized():
            return f"{error.detail} Sign in with `dataforge login`.", NOT_SIGNED_IN
        case PlanStale() | RefMoved():
            return f"{error.detail} Nothing was changed.", MOVED
        case ApiError():
            places = [f"\n  {item.pointer or '/'}: {item.detail}" for item in error.errors[:20]]
            more = len(error.errors) - len(places)
            rest = f"\n  and {more} more" if more > 0 else ""
            # What the client itself did not find has no request.
            which = f"{error.code}, request {error.request_id}" if error.request_id else error.code
            return f"{error.detail} ({which}){''.join(places)}{rest}", REFUSED
        case _:
            return str(error), FAILED
