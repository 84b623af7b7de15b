"""Password hashing: argon2id with the library's parameters (RFC 9106 §4, second recommended option)."""

import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
AT_ONCE = 4
"""Hashes under way in one process: each takes 64 MiB, and of a thousand people who sign in together most wait."""
_turns = BoundedSemaphore(AT_ONCE)


@cache
def _decoy() -> str:
    return _hasher.hash("no account has this password")


def _normal(password: str) -> str:
    # One keyboard sends é as one character, another as two (RFC 8265 §4.2.2: passwords are compared in NFC).
    return unicodedata.normalize("NFC", password)


def hash_password(password: str) -> str:
    """The encoded hash with its salt and parameters."""
    with _turns:
        return _hasher.hash(_normal(password))


def verify_password(encoded: str | None, password: str) -> bool:
    """Whether the password matches; None (no such account) takes as long as a wrong password and is False."""
    encoded_or_decoy = encoded or _decoy()
    try:
        with _turns:
            _hasher.verify(encoded_or_decoy, _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return encoded is not None
