"""Links by which a mail can be unsubscribed from, signed so that nobody unsubscribes others."""

from dataclasses import dataclass
from urllib.parse import urlencode

from dataforge.contexts.notifications.suppressions.domain import InvalidUnsubscribeLink, Scope
from dataforge.kernel.paging import CursorSigner, InvalidCursor
from dataforge.kernel.texts import Text

_LIST = "unsubscribe"


@dataclass(frozen=True, slots=True)
class UnsubscribeLink:
    """`one_click` for mail programs (RFC 8058), `page` for people."""

    one_click: str
    page: str


class UnsubscribeLinks:
    """Makes and opens them; `base` is the address of our API, without a slash at its end."""

    def __init__(self, signer: CursorSigner, base: str) -> None:
        self._signer = signer
        self._base = base.rstrip("/")

    def link(self, email_hash: str, scope: Scope) -> UnsubscribeLink:
        """The links for an address; they do not expire, because mails do not."""
        query = urlencode({"token": self._signer.seal(_LIST, [email_hash, scope.value])})
        return UnsubscribeLink(f"{self._base}/api/unsubscribe?{query}", f"{self._base}/ui/unsubscribe?{query}")

    def open(self, token: str) -> tuple[str, Scope]:
        """The hash of the address and the scope; raises InvalidUnsubscribeLink."""
        try:
            email_hash, scope = self._signer.open(_LIST, token)
            return str(email_hash), Scope(str(scope))
        except (InvalidCursor, ValueError) as error:
            message = Text("This link is not whole or was not made by us. Use the link in the mail as it is.")
            raise InvalidUnsubscribeLink(message) from error
