"""Rules of the second factor: which codes count, how often, and when guessing has to be made harder."""

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from dataforge.kernel.errors import Conflict, Unauthenticated
from dataforge.kernel.texts import Text

STEP_SECONDS, DIGITS = 30, 6  # what authenticator apps take for granted (RFC 6238 §4.1, §5.2)
DRIFT = 1  # steps that the phone's clock may be away from ours (RFC 6238 §5.2)
SINGLE_TRIES = 10  # wrong codes in a row, from wherever, after which one code alone no longer counts
ENROLLMENT_LIFETIME = timedelta(minutes=30)
CHALLENGE_LIFETIME = timedelta(minutes=5)
CHALLENGE_TRIES = 5
RECOVERY_CODES = 10
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing that is read as something else
_READ_AS = str.maketrans("oil", "011")
_RECOVERY_LENGTH, _GROUP = 16, 4  # 80 bits


class SecondFactorRequired(Unauthenticated):
    """The password is right and a code is needed: send `challenge` and the code to POST /api/auth/second-factor."""

    code = "second_factor_required"
    title = "A code is needed"


class ChallengeEnded(Unauthenticated):
    """The challenge is unknown, answered, older than five minutes, or had five wrong codes; sign in again."""

    code = "challenge_ended"
    title = "The sign-in has to begin again"


class WrongCode(Unauthenticated):
    """The code is none that the person's app shows now, and no recovery code that is left."""

    code = "wrong_code"
    title = "The code is wrong"


class CodeUsed(WrongCode):
    """The code was used, or one after it was: each works once."""

    code = "code_used"
    title = "The code was used before"


class TwoCodesRequired(WrongCode):
    """Many wrong codes were sent: two codes that follow each other are needed, as one text, or a recovery code."""

    code = "two_codes_required"
    title = "Two codes in a row are needed"


class SecondFactorOn(Conflict):
    """The person has a second factor; take it away before another one is added."""

    code = "second_factor_on"
    title = "There is a second factor"


class SecondFactorOff(Conflict):
    """The person has no second factor, or has not begun to add one, or began too long ago."""

    code = "second_factor_off"
    title = "There is no second factor"


class OwnSecondFactor(Conflict):
    """An administrator's own second factor is taken away with password and code, as everybody's."""

    code = "own_second_factor"
    title = "This is your own second factor"


@dataclass(frozen=True, slots=True)
class AppCodes:
    """What an app showed: one code, or two that follow each other (RFC 4226 §7.4)."""

    codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """A code from the list that was shown once, as it is compared."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What a person proves a sign-in with beside the password; `sealed` is the encrypted secret of the app.

    `last_step` is the step of the code that was taken last, `failures` the wrong codes since.
    """

    user_id: UUID
    sealed: bytes = field(repr=False)
    created_at: datetime
    confirmed_at: datetime | None
    last_step: int | None
    failures: int

    @property
    def is_on(self) -> bool:
        """Whether sign-ins need it."""
        return self.confirmed_at is not None

    def check_begun(self, now: datetime) -> None:
        """Raise SecondFactorOn, or SecondFactorOff when it was begun too long ago, unless it waits for its code."""
        if self.is_on:
            raise SecondFactorOn(ALREADY_ON)
        if now - self.created_at >= ENROLLMENT_LIFETIME:
            message = Text("This was begun more than half an hour ago; begin again.")
            raise SecondFactorOff(message)

    def take(self, given: AppCodes, secret: str, now: datetime) -> int:
        """The step of the codes, which counts as used from now on.

        Raises WrongCode, CodeUsed, or TwoCodesRequired for one code after too many wrong ones: its owner is not kept
        out, and two in a row are guessed a million times less often than one.
        """
        if len(given.codes) == 1 and self.failures >= SINGLE_TRIES:
            message = Text(
                "Many wrong codes were entered. Enter two codes that your app shows one after the other as one, "
                "or a recovery code."
            )
            raise TwoCodesRequired(message)
        steps = matching_steps(given, secret, now)
        if not steps:
            message = Text("The code is wrong. Enter the one that your app shows now; its clock must be right.")
            raise WrongCode(message)
        fresh = [step for step in steps if self.last_step is None or step > self.last_step]
        if not fresh:
            message = Text("This code was used before. Wait until your app shows the next one.")
            raise CodeUsed(message)
        return fresh[0]


ALREADY_ON = Text("You have a second factor. Take it away first, then add another one.")


@dataclass(frozen=True, slots=True)
class Challenge:
    """A sign-in whose password was right and whose code is awaited."""

    id: UUID
    user_id: UUID
    expires_at: datetime
    tries: int

    def is_open(self, now: datetime) -> bool:
        """Whether a code may be tried."""
        return now < self.expires_at and self.tries < CHALLENGE_TRIES


def step_of(now: datetime) -> int:
    """The number of the time step (RFC 6238 §4.2)."""
    return int(now.timestamp()) // STEP_SECONDS


def new_secret() -> str:
    """160 random bits in base 32, as RFC 4226 §4 (R6) recommends."""
    from pyotp import random_base32

    return random_base32(32)


def code_at(secret: str, step: int) -> str:
    """The code of a time step: HMAC-SHA-1, six digits (RFC 6238 §4)."""
    from pyotp import TOTP

    return TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).generate_otp(step)


def matching_steps(given: AppCodes, secret: str, now: datetime) -> list[int]:
    """The steps around now whose code is the last one given, with those given before it in the steps before."""
    current = step_of(now)
    candidates = range(max(current - DRIFT, len(given.codes) - 1), current + DRIFT + 1)
    return [step for step in candidates if _matches(given.codes, secret, step)]


def _matches(codes: tuple[str, ...], secret: str, last: int) -> bool:
    first = last - len(codes) + 1
    wanted = "".join(code_at(secret, step) for step in range(first, last + 1))
    return secrets.compare_digest("".join(codes).encode(), wanted.encode())


def read_code(text: str) -> AppCodes | RecoveryCode | None:
    """What a person entered, with the spaces, hyphens and digits that their keyboard has; None for neither kind."""
    plain = "".join(_digit(char) for char in unicodedata.normalize("NFKC", text).lower())
    plain = "".join(char for char in plain if not char.isspace() and char not in "-‐‑‒–—")
    if plain.isdecimal() and plain.isascii() and len(plain) in (DIGITS, 2 * DIGITS):
        return AppCodes(tuple(plain[at : at + DIGITS] for at in range(0, len(plain), DIGITS)))
    plain = plain.translate(_READ_AS)
    if len(plain) == _RECOVERY_LENGTH and not set(plain) - set(_ALPHABET):
        return RecoveryCode(plain)
    return None


def _digit(char: str) -> str:
    return str(unicodedata.decimal(char)) if char.isdecimal() else char


def new_recovery_codes() -> list[str]:
    """Codes of 80 random bits, in groups as people read them."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


def _recovery_code() -> str:
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_RECOVERY_LENGTH))
    return "-".join(text[at : at + _GROUP] for at in range(0, _RECOVERY_LENGTH, _GROUP))


def recovery_hash(code: RecoveryCode) -> str:
    """SHA-256: such codes carry 80 random bits, so that a slow hash would add nothing."""
    return hashlib.sha256(code.text.encode()).hexdigest()
