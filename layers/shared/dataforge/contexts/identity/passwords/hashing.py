"""Password hashing: argon2id with the library's parameters (RFC 9106 §4, second recommended option)."""

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()


@cache
def _decoy() -> str:
    return _hasher.hash("no account has this password")


def _normal(password: str) -> str:
    # One keyboard sends é as one character, another as two (RFC 8265 §4.2.2: passwords are compared in NFC).
    return unicodedata.normalize("NFC", password)


def hash_password(password: str) -> str:
    """The encoded hash with its salt and parameters."""
    return _hasher.hash(_normal(password))


def verify_password(encoded: str | None, password: str) -> bool:
    """Whether the password matches; None (no such account) takes as long as a wrong password and is False."""
    try:
        _hasher.verify(encoded or _decoy(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return encoded is not None
