"""Rules of passwords: none of the kind that is guessed first."""

import unicodedata
from collections.abc import Iterable

from dataforge.kernel.errors import Unauthenticated, ValidationFailed, Violation
from dataforge.kernel.texts import Text

# A guesser who is slowed down to some tries a minute gets through a million in months (zxcvbn's score 2).
MIN_GUESSES = 1_000_000
_JUDGED = 72  # characters; the time that judging takes grows with the square


class CommonPassword(ValidationFailed):
    """The password is one of those that are tried first: common, or made of what is known about the person."""

    code = "common_password"
    title = "The password is too easy to guess"


class WrongPassword(Unauthenticated):
    """The present password, given to change something, is not the account's."""

    code = "wrong_password"
    title = "The present password is wrong"


def check_password(password: str, words: Iterable[str] = (), *, pointer: str = "/password") -> None:
    """Raise CommonPassword for one that is guessed soon; `words` are what is known of the person.

    No rule about composition: what counts is how many guesses come first (NIST SP 800-63B §5.1.1.2). Takes milliseconds
    of CPU.
    """
    # Its dictionaries take a while to load and are needed when a password is set, never when one is checked.
    from zxcvbn import zxcvbn

    given = unicodedata.normalize("NFC", password)
    judged = zxcvbn(given[:_JUDGED], user_inputs=[word for word in words if len(word) > 2] + ["dataforge"])
    if judged["guesses"] < MIN_GUESSES:
        message = Text("This password is among the first that are guessed; take a longer or a less common one.")
        raise CommonPassword(message, violations=[Violation(pointer, message, "common_password")])
