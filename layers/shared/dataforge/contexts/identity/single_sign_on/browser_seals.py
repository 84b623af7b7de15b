"""What a browser keeps for us on its way to a provider and back: encrypted, so that nobody makes or reads it.

The cookies are HttpOnly and SameSite=Lax: the answer of a provider is a link that is followed, and brings them along.
"""

import base64
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from starlette.responses import Response
from starlette.types import Scope

from dataforge.contexts.identity.single_sign_on.domain import JOURNEY_LASTS, Journey, LinkOffer
from dataforge.platform.sealing import SecretBox, SecretUnreadable
from dataforge.web.session import clear_cookie, cookie, set_cookie

_JOURNEY, _OFFER = "dataforge_journey", "dataforge_link"
_SECONDS = int(JOURNEY_LASTS.total_seconds())


class BrowserSeals:
    """Puts a journey or an offer into a browser's cookies, and finds it there until it expires."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def keep_journey(self, response: Response, scope: Scope, journey: Journey) -> None:
        """Keep the one journey of this browser."""
        self._keep(response, scope, _JOURNEY, asdict(journey))

    def journey(self, scope: Scope, now: datetime) -> Journey | None:
        """The journey of this browser; None if it has begun none, or too long ago."""
        found = self._found(scope, _JOURNEY, now)
        if found is None:
            return None
        found["user_id"] = UUID(found["user_id"]) if found["user_id"] else None
        return Journey(**found)

    def end_journey(self, response: Response, scope: Scope) -> None:
        """Forget it: an answer counts once."""
        clear_cookie(response, scope, _JOURNEY)

    def keep_offer(self, response: Response, scope: Scope, offer: LinkOffer) -> None:
        """Keep the one offer of this browser."""
        self._keep(response, scope, _OFFER, asdict(offer))

    def offer(self, scope: Scope, now: datetime) -> LinkOffer | None:
        """The offer in this browser; None if there is none, or it is too old."""
        found = self._found(scope, _OFFER, now)
        return None if found is None else LinkOffer(**{**found, "user_id": UUID(found["user_id"])})

    def end_offer(self, response: Response, scope: Scope) -> None:
        """Forget it."""
        clear_cookie(response, scope, _OFFER)

    def _keep(self, response: Response, scope: Scope, name: str, value: dict[str, Any]) -> None:
        sealed = self._box.seal(orjson.dumps(value).decode(), name)
        set_cookie(response, scope, name, base64.urlsafe_b64encode(sealed).decode(), seconds=_SECONDS)

    def _found(self, scope: Scope, name: str, now: datetime) -> dict[str, Any] | None:
        try:
            opened = self._box.open(base64.urlsafe_b64decode(cookie(scope, name) or ""), name)
        except (SecretUnreadable, ValueError):
            return None
        found: dict[str, Any] = orjson.loads(opened)
        found["expires_at"] = datetime.fromisoformat(found["expires_at"])
        found["provider_id"] = UUID(found["provider_id"])
        return None if now >= found["expires_at"] else found
