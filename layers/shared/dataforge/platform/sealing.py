"""Secrets of others that must be used again: encrypted in the database, with a key of the application's secret."""

import secrets
from typing import TYPE_CHECKING

from dataforge.kernel.errors import Unavailable
from dataforge.kernel.texts import Text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class SecretUnreadable(Unavailable):
    """The secret was encrypted with another key; enter it again."""

    code = "secret_unreadable"
    title = "A stored secret cannot be read any more"


class SecretBox:
    """Encrypts with AES-256-GCM under a key derived for one purpose (RFC 5869); `about` binds a secret to its row."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._key = key
        self._purpose = purpose.encode()

    def seal(self, secret: str, about: str) -> bytes:
        """The encrypted secret."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher().encrypt(nonce, secret.encode(), about.encode())

    def open(self, sealed: bytes, about: str) -> str:
        """The secret; raises SecretUnreadable."""
        from cryptography.exceptions import InvalidTag

        try:
            found = self._cipher().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode())
        except (InvalidTag, ValueError) as error:
            message = Text("The secret was encrypted with another application key; enter it again.")
            raise SecretUnreadable(message) from error
        return found.decode()

    def _cipher(self) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return AESGCM(HKDF(SHA256(), length=32, salt=None, info=self._purpose).derive(self._key))
