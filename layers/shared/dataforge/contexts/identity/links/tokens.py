"""The secret in a mailed link: made of the application's key, so that neither the outbox nor the database holds it."""

import base64
import hashlib
import hmac
from uuid import UUID


class LinkTokens:
    """Makes the token of a link from its id: a mail that is sent twice carries the same link."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, link_id: UUID) -> str:
        """256 bits of HMAC-SHA256 (RFC 2104) over the id, as text for an address."""
        return self._mac(b"mailed link\0" + link_id.bytes)

    def of_invitation(self, invitation_id: UUID, sendings: int) -> str:
        """The same for the mail of this number about an invitation: each mail has a link of its own."""
        return self._mac(b"invitation\0" + invitation_id.bytes + sendings.to_bytes(4, "big"))

    def _mac(self, message: bytes) -> str:
        mac = hmac.new(self._key, message, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")
