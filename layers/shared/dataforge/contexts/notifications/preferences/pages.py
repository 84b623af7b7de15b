"""One's own preferences: what to hear of, when, and in which language."""

from dataclasses import fields
from functools import cache
from typing import Annotated, Final
from zoneinfo import available_timezones

from starlette.responses import Response

from dataforge.contexts.identity.contract import PersonalClock, PersonalClocks
from dataforge.contexts.notifications.preferences import queries
from dataforge.contexts.notifications.preferences.commands import SetPreference, set_preference
from dataforge.contexts.notifications.preferences.domain import KINDS
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import ValidationFailed
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("notifications")
PAGE = "/ui/notification-preferences"
LANGUAGES: Final = (("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français"))


@router.get(PAGE)
async def preferences_page(call: Annotated[PageCall, require_page(Action.READ, Kind.PREFERENCE)]) -> Response:
    """Every kind of message with a switch, and the clock by which the person is written to."""
    return await _shown(call, await call.platform.get(PersonalClocks).read(call.user_id))


@router.post(PAGE)
async def choose_kinds(call: Annotated[PageCall, require_page(Action.CHANGE, Kind.PREFERENCE)]) -> Response:
    """Turn kinds of messages on and off, as the boxes are."""
    for kind in KINDS.values():
        if kind.optional:
            command = SetPreference(call.user_id, kind.name, f"kind {kind.name}" in call.form)
            await run(call.unit_of_work(NotificationsUnitOfWork), set_preference, command)
    return call.go_on("success", Text("Your choice is kept."), PAGE)


@router.post("/ui/notification-preferences/clock")
async def set_clock(call: Annotated[PageCall, require_page(Action.CHANGE, Kind.PREFERENCE)]) -> Response:
    """Change time zone, language, hour of reminders and quiet hours."""
    clock = PersonalClock(**{item.name: call.form.get(item.name, "").strip() for item in fields(PersonalClock)})
    try:
        await call.platform.get(PersonalClocks).change(call.user_id, clock)
    except ValidationFailed as error:
        return await _shown(call, clock, error)
    return call.go_on("success", Text("Your clock is kept."), PAGE)


@cache
def _zones() -> list[str]:
    return sorted(available_timezones())


async def _shown(call: PageCall, clock: PersonalClock, error: ValidationFailed | None = None) -> Response:
    kinds = await call.query(queries.preferences_of, call.user_id)
    languages = list(LANGUAGES)
    if clock.locale not in dict(languages):
        languages.insert(0, (clock.locale, clock.locale))
    return call.page(
        "notifications/preferences.html",
        status=200 if error is None else error.status,
        kinds=kinds,
        clock=clock,
        zones=_zones(),
        languages=languages,
        error=error,
        wrong={item.pointer.removeprefix("/") for item in error.violations} if error else set(),
    )
