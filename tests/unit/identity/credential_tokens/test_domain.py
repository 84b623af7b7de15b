"""What a client may send to the token endpoint (RFC 6749 §2.3.1, §4.4.2, §5.2)."""

import base64
from contextlib import suppress
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.identity.contract import (
    XapiCredential,
)
from dataforge.contexts.identity.credential_tokens.domain import (
    FORM,
    TokenRefused,
    TokenRequest,
    check_secret,
    granted_scopes,
    read_request,
)
from dataforge.contexts.identity.sessions.domain import token_hash
from dataforge.kernel.rules import XAPI_SCOPES

GRANT = "grant_type=client_credentials"
IN_BODY = "client_id=lrs_a&client_secret=s"


def basic(key: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def read(body: str, authorization: str = "", content_type: str = FORM) -> TokenRequest:
    return read_request(content_type, body.encode(), authorization)


@pytest.mark.parametrize(
    ("body", "authorization"),
    [(GRANT, basic("lrs_a", "s")), (f"{GRANT}&{IN_BODY}", ""), (f"{GRANT}&client_id=lrs_a", basic("lrs_a", "s"))],
)
def test_a_client_names_itself_in_the_header_or_in_the_body(body: str, authorization: str) -> None:
    assert read(body, authorization) == TokenRequest("lrs_a", "s")


def test_key_and_secret_in_the_header_are_encoded_as_in_a_form() -> None:
    assert read(GRANT, basic(quote("a:b c"), "100%25")) == TokenRequest("a:b c", "100%")


@pytest.mark.parametrize(
    ("body", "authorization", "content_type", "error"),
    [
        ("", basic("a", "s"), FORM, "invalid_request"),
        (GRANT, basic("a", "s"), "application/json", "invalid_request"),
        (f"{GRANT}&{GRANT}", basic("a", "s"), FORM, "invalid_request"),
        (f"{GRANT}&scope=all&scope=state", basic("a", "s"), FORM, "invalid_request"),
        (f"{GRANT}&{IN_BODY}", basic("a", "s"), FORM, "invalid_request"),
        (f"{GRANT}&" + "&".join(f"f{number}=1" for number in range(30)), basic("a", "s"), FORM, "invalid_request"),
        (f"{GRANT}&x=ä", basic("a", "s"), FORM, "invalid_request"),
        (f"{GRANT}&x=%ff", basic("a", "s"), FORM, "invalid_request"),
        ("grant_type=password&username=a&password=b", basic("a", "s"), FORM, "unsupported_grant_type"),
        ("grant_type=authorization_code&code=x", "", FORM, "unsupported_grant_type"),
        (GRANT, "", FORM, "invalid_client"),
        (f"{GRANT}&client_id=lrs_a", "", FORM, "invalid_client"),
        (GRANT, "Bearer x", FORM, "invalid_client"),
        (GRANT, "Basic !", FORM, "invalid_client"),
        (GRANT, "Basic " + base64.b64encode(b"nocolon").decode(), FORM, "invalid_client"),
    ],
)
def test_a_request_is_refused_with_the_code_of_the_standard(
    body: str, authorization: str, content_type: str, error: str
) -> None:
    with pytest.raises(TokenRefused) as refused:
        read(body, authorization, content_type)

    assert refused.value.error == error


@pytest.mark.parametrize(
    ("secret_hash", "revoked"), [(None, False), (token_hash("other"), False), (token_hash("s"), True)]
)
def test_an_unknown_key_a_wrong_secret_and_a_revoked_credential_are_refused_alike(
    secret_hash: str | None, revoked: bool
) -> None:
    with pytest.raises(TokenRefused) as refused:
        check_secret(TokenRequest("lrs_a", "s"), secret_hash, revoked=revoked)

    assert refused.value.error == "invalid_client"


def test_without_a_scope_a_token_has_all_of_its_credential() -> None:
    assert granted_scopes(TokenRequest("a", "s"), ["state", "define"]) == ("state", "define")


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("state", ["state", "define"]),
        ("statements/read/mine", ["statements/read"]),
        ("statements/read", ["all/read"]),
        ("statements/write state", ["all"]),
        ("all/read", ["all"]),
    ],
)
def test_a_token_may_have_less_than_its_credential(asked: str, granted: list[str]) -> None:
    assert granted_scopes(TokenRequest("a", "s", asked), granted) == tuple(asked.split())


@pytest.mark.parametrize(
    "asked", ["all", "statements/write", "unknown", "state  define", " state", 'st"ate', "all/read"]
)
def test_and_no_more(asked: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        granted_scopes(TokenRequest("a", "s", asked), ["statements/read", "state"])

    assert refused.value.error == "invalid_scope"


@given(
    st.sets(st.sampled_from(sorted(XAPI_SCOPES)), min_size=1), st.sets(st.sampled_from(sorted(XAPI_SCOPES)), min_size=1)
)
def test_no_token_allows_what_its_credential_does_not(granted: set[str], asked: set[str]) -> None:
    holder = XapiCredential("a", frozenset(granted), {})
    try:
        scopes = granted_scopes(TokenRequest("a", "s", " ".join(sorted(asked))), sorted(granted))
    except TokenRefused:
        assert not all(holder.allows(scope) for scope in asked)
        return

    token = XapiCredential("a", frozenset(scopes), {})
    assert all(holder.allows(scope) for scope in XAPI_SCOPES if token.allows(scope))


@given(st.binary(max_size=60), st.text(max_size=30))
def test_whatever_is_sent_is_a_request_or_refused(body: bytes, authorization: str) -> None:
    with suppress(TokenRefused):
        assert read_request(FORM, body, authorization).secret is not None


@given(st.text(), st.text())
def test_any_key_and_secret_arrive_as_they_were_sent(key: str, secret: str) -> None:
    form = urlencode({"grant_type": "client_credentials", "client_id": key, "client_secret": secret})

    assert read(form) == TokenRequest(key, secret)
