"""Who may have an access token for the record store, and for what."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_plus

from dataforge.contexts.identity.contract import (
    XapiCredential,
)
from dataforge.contexts.identity.sessions.domain import token_hash
from dataforge.kernel.rules import XAPI_SCOPES
from dataforge.kernel.texts import Text

AUDIENCE = "dataforge-xapi"
"""Apart from the audience of people's tokens: neither is good where the other is."""
TYPE = "at+jwt"
"""The header `typ` of access tokens (RFC 9068 §2.1)."""
TOKEN_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="dataforge-xapi", error="invalid_token"'}
FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 20
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*\Z")


class TokenRefused(Exception):
    """No token is given: the answer has the form of RFC 6749 §5.2, not that of a problem."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a client asks for; `scope` None is all that its credential has."""

    key_id: str
    secret: str = field(repr=False)
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a valid token says."""

    key_id: str
    scopes: frozenset[str]


def read_request(content_type: str, body: bytes, authorization: str) -> TokenRequest:
    """The request of a client (RFC 6749 §2.3.1, §4.4.2); raises TokenRefused."""
    given = _fields(content_type, body)
    grant = given.get("grant_type")
    if not grant:
        raise _invalid(Text("grant_type is missing; it is client_credentials here."))
    if grant != "client_credentials":
        error = "unsupported_grant_type"
        raise TokenRefused(error, Text("The only grant_type here is client_credentials."))
    key_id, secret = _client(given, authorization)
    return TokenRequest(key_id, secret, given.get("scope") or None)


def _fields(content_type: str, body: bytes) -> Mapping[str, str]:
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise _invalid(Text("Send the parameters as {form}.", form=FORM))
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise _invalid(Text("The body is not {form}.", form=FORM)) from error
    if len(dict(pairs)) < len(pairs):
        raise _invalid(Text("A parameter is there twice."))
    return dict(pairs)


def _client(given: Mapping[str, str], authorization: str) -> tuple[str, str]:
    in_body = "client_secret" in given
    if authorization and in_body:
        raise _invalid(Text("Send the client's secret in the Authorization header or in the body, not in both."))
    if in_body:
        return given.get("client_id", ""), given["client_secret"]
    scheme, _, encoded = authorization.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError
        key_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError
    except (ValueError, binascii.Error) as error:
        raise _invalid_client() from error
    return unquote_plus(key_id), unquote_plus(secret)


def check_secret(request: TokenRequest, secret_hash: str | None, *, revoked: bool) -> None:
    """Raise TokenRefused unless the secret is that of a credential that is not revoked; None: there is no such key."""
    same = hmac.compare_digest(token_hash(request.secret), secret_hash or "0" * 64)
    if not same or secret_hash is None or revoked:
        raise _invalid_client()


def granted_scopes(request: TokenRequest, granted: Sequence[str]) -> tuple[str, ...]:
    """The scopes of the token: those that were asked for, of what the credential has. Raises TokenRefused."""
    if request.scope is None:
        return tuple(granted)
    if not _SCOPE.match(request.scope):
        raise _invalid_scope(Text("scope is a list of scopes with one space between them."))
    asked, holder = tuple(dict.fromkeys(request.scope.split(" "))), XapiCredential("", frozenset(granted), {})
    refused = [scope for scope in asked if scope not in XAPI_SCOPES or not holder.allows(scope)]
    if refused:
        raise _invalid_scope(Text("This credential does not have the scope {refused}.", refused=refused[0][:40]))
    return asked


def _invalid(description: str) -> TokenRefused:
    return TokenRefused("invalid_request", description)


def _invalid_client() -> TokenRefused:
    return TokenRefused("invalid_client", Text("The key or secret is missing or wrong, or the credential was revoked."))


def _invalid_scope(description: str) -> TokenRefused:
    return TokenRefused("invalid_scope", description)
