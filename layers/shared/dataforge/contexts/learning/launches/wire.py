"""Wire models of launches."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from dataforge.contexts.learning.launches.domain import LaunchMode
from dataforge.contexts.learning.wire import PageOut
from dataforge.http.wire import RequestModel
from dataforge.kernel.texts import Text


def _web_address(value: str) -> str:
    scheme, mark, rest = value.partition("://")
    if scheme.lower() not in ("http", "https") or not mark or not rest.strip("/") or not value.isprintable():
        message = Text("must be a web address such as https://content.example.org/fire/index.html")
        raise ValueError(message)
    return value


WebAddress = Annotated[str, Field(min_length=8, max_length=2000), AfterValidator(_web_address)]


class LaunchIn(RequestModel):
    """How to launch: `Browse` and `Review` show the lesson without judging; the player returns to `return_url`."""

    launch_mode: LaunchMode = "Normal"
    return_url: WebAddress | None = None


class LaunchOut(BaseModel):
    """A launch: open `launch_url` in a browser. It has the other values as parameters, which work for 24 hours."""

    id: UUID
    launch_url: str
    endpoint: str
    fetch: str
    actor: dict[str, object]
    registration: UUID
    activity_id: str
    launch_mode: LaunchMode
    expires_at: datetime


class LaunchProgressOut(BaseModel):
    """A launch and what its player has said so far; `satisfied_at` when that met the lesson's `move_on`."""

    id: UUID
    lesson_id: UUID
    user_id: UUID
    display_name: str | None
    registration: UUID
    launch_mode: LaunchMode
    created_at: datetime
    expires_at: datetime
    fetched_at: datetime | None
    last_statement_at: datetime | None
    initialized: bool
    completed: bool
    passed: bool
    failed: bool
    terminated: bool
    abandoned: bool
    satisfied_at: datetime | None


class LaunchPage(PageOut):
    """Launches."""

    items: list[LaunchProgressOut]


class FetchOut(BaseModel):
    """The credential for `Authorization: Basic`, once; afterwards the error that cmi5 §8.2.3 has for it."""

    auth_token: str | None = Field(default=None, alias="auth-token")
    error_code: str | None = Field(default=None, alias="error-code")
    error_text: str | None = Field(default=None, alias="error-text")
