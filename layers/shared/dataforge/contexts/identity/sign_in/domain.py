"""Rules of signing in: what fails, and how often one address may try."""

from dataclasses import dataclass

from dataforge.kernel.errors import TooManyRequests, Unauthenticated
from dataforge.kernel.texts import Text


class InvalidCredentials(Unauthenticated):
    """Wrong username or password; which of the two is not said."""

    code = "invalid_credentials"
    title = "Sign-in failed"


class LoginThrottled(TooManyRequests):
    """Too many failed sign-ins from one address; nobody else is kept out by them."""

    code = "login_throttled"
    title = "Too many failed sign-ins from your address"


@dataclass(frozen=True, slots=True)
class TryLimits:
    """How many tries a minute one address has: failed sign-ins, those of them for one name, sign-ups, failed refreshes,
    and mails asked for.

    A name is not limited by itself: whoever guesses from elsewhere must not keep its owner out.
    """

    sign_in: int = 60
    sign_in_name: int = 10
    sign_up: int = 60
    refresh: int = 60
    reset: int = 10


def too_many_tries(what: str, wait: int) -> TooManyRequests:
    """The refusal of an address whose budget is spent; `wait` in seconds."""
    message = Text("Too many {what} came from your address. Try again in {wait}.", what=what, wait=in_seconds(wait))
    return TooManyRequests(message, headers={"Retry-After": str(wait)})


def in_seconds(wait: int) -> str:
    """A number of seconds as words."""
    return Text("1 second") if wait == 1 else Text("{wait} seconds", wait=wait)
