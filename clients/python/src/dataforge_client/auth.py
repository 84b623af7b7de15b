"""As whom requests are made: a token that lasts, or a sign-in that is renewed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from dataforge_client.config import Profile
from dataforge_client.errors import ApiError, NotAnApi, Unauthorized, api_error
from dataforge_client.flows import Flow, Pause, Reply, Send, send

_EARLY = 30.0  # seconds before its end that an access token is renewed
_OTHER_RENEWS = 0.05


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The tokens of a sign-in; `expires_at` in seconds since 1970."""

    access_token: str
    refresh_token: str
    expires_at: float


class Credentials:
    """The bearer token of requests, renewed when it has to be.

    `changed` is called with new tokens, so that they can be kept; `current` says which are kept by now: another process
    may have renewed them: each refresh token works once.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        changed: Callable[[SignedIn], None] | None = None,
        current: Callable[[], Profile | None] | None = None,
    ) -> None:
        self._token = profile.token
        self._signed_in = _tokens_of(profile)
        self._changed = changed
        self._current = current
        self._lock = threading.Lock()

    @classmethod
    def nobody(cls) -> Self:
        """No bearer token: requests say themselves who they are from."""
        return cls(Profile(""))

    @property
    def renewable(self) -> bool:
        """Whether an expired token can be replaced."""
        return self._token is None and self._signed_in is not None

    def profile(self, url: str) -> Profile:
        """What makes these credentials again, to be kept."""
        if self._signed_in is None:
            return Profile(url, self._token)
        tokens = self._signed_in
        return Profile(url, None, tokens.access_token, tokens.refresh_token, tokens.expires_at)

    def bearer(self, base: str) -> Flow[str | None]:
        """The token to send; None is nobody in particular."""
        if self._token is not None or self._signed_in is None:
            return self._token
        if self._signed_in.expires_at - time.time() < _EARLY:
            yield from self.renew(base, self._signed_in.access_token)
        return self._signed_in.access_token

    def renew(self, base: str, refused: str | None) -> Flow[None]:
        """Replace the access token that was refused, unless it has been replaced meanwhile."""
        # Flows give way at each request, also within one thread: the lock is tried for, never waited for.
        while not self._lock.acquire(blocking=False):
            yield Pause(_OTHER_RENEWS)
        try:
            if self._signed_in is None or self._signed_in.access_token != refused:
                return
            kept = self._kept_elsewhere(refused)
            if kept is not None:
                self._signed_in = kept
                return
            self._signed_in = yield from sign_in_again(base, self._signed_in.refresh_token)
            if self._changed is not None:
                self._changed(self._signed_in)
        finally:
            self._lock.release()

    def _kept_elsewhere(self, refused: str | None) -> SignedIn | None:
        profile = self._current() if self._current is not None else None
        kept = _tokens_of(profile) if profile is not None else None
        if kept is None or kept.access_token == refused or kept.expires_at - time.time() < _EARLY:
            return None
        return kept


def _tokens_of(profile: Profile) -> SignedIn | None:
    if profile.access_token is None or profile.refresh_token is None:
        return None
    return SignedIn(profile.access_token, profile.refresh_token, profile.expires_at or 0.0)


def sign_in(base: str, username: str, password: str, code: str | None = None) -> Flow[SignedIn]:
    """Exchange username and password (and the code of a second factor) for tokens."""
    body = {"username": username, "password": password, **({"code": code} if code else {})}
    return (yield from _tokens(base, "/api/auth/login", body))


def sign_in_again(base: str, refresh_token: str) -> Flow[SignedIn]:
    """Exchange a refresh token for new tokens."""
    try:
        return (yield from _tokens(base, "/api/auth/refresh", {"refresh_token": refresh_token}))
    except ApiError as error:
        if error.status not in (400, 401, 403, 409):
            raise
        problem = {"code": error.code, "detail": f"The sign-in has ended: {error.detail} Sign in again."}
        raise Unauthorized(401, {**problem, "request_id": error.request_id}) from error


def is_page(reply: Reply) -> bool:
    """Whether an answer is for people, which the API gives to nobody who asks for JSON."""
    return reply.headers.get("content-type", "").startswith("text/html")


def no_api(base: str, reply: Reply) -> NotAnApi:
    """The error for an answer that is not one of the API's."""
    kind = reply.headers.get("content-type", "").partition(";")[0] or "nothing that is known"
    return NotAnApi(
        f"{base} is not the address of a DataForge API: it answers {reply.status} with {kind}. "
        "Give what stands before /api, such as https://dataforge.example.org."
    )


def _tokens(base: str, path: str, body: dict[str, str]) -> Flow[SignedIn]:
    began = time.time()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    reply: Reply = yield from send(Send("POST", base + path, headers, json.dumps(body).encode()))
    if reply.status != 200 and not is_page(reply):
        raise api_error(reply.status, reply.content)
    try:
        answer = json.loads(reply.content)
    except ValueError as error:
        raise no_api(base, reply) from error
    return SignedIn(answer["access_token"], answer["refresh_token"], began + float(answer["expires_in"]))
