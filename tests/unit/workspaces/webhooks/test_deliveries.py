"""Deliveries of webhooks: signatures of each host, and what a delivery says."""

import hmac
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.workspaces.webhooks.domain import (
    RefUpdate,
    delivery_id,
    is_about,
    is_signed,
    new_secret,
    read_delivery,
    repository_of,
)
from dataforge.kernel.errors import MalformedBody
from tests.builders.time import NOW

MAIN, OTHER = "a" * 40, "b" * 40
NOTHING = "0" * 40
# From GitHub's documentation of its signatures.
SECRET, BODY = "It's a Secret to Everybody", b"Hello, World!"
SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
# From the reference of Standard Webhooks.
STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
STANDARD_TIME = datetime.fromtimestamp(1614265330, UTC)


def test_the_signature_of_github_is_checked_over_the_whole_body() -> None:
    headers = {"x-hub-signature-256": SIGNATURE}

    assert is_signed(headers, BODY, SECRET, NOW)
    assert not is_signed(headers, BODY + b" ", SECRET, NOW)
    assert not is_signed(headers, BODY, SECRET + "x", NOW)


@pytest.mark.parametrize("signature", ["", "sha256=", SIGNATURE[7:], SIGNATURE.upper(), "sha1=" + "0" * 40, "sha256=é"])
def test_a_signature_of_another_form_is_none(signature: str) -> None:
    assert not is_signed({"x-hub-signature-256": signature}, BODY, SECRET, NOW)


def test_the_signature_of_standard_webhooks_is_checked_with_its_time() -> None:
    def signed(at: datetime, **changed: str) -> bool:
        headers = {**STANDARD_HEADERS, **{name.replace("_", "-"): value for name, value in changed.items()}}
        return is_signed(headers, STANDARD_BODY, STANDARD, at)

    assert signed(STANDARD_TIME)
    assert signed(STANDARD_TIME, webhook_signature="v1,bm90aGluZw== " + STANDARD_HEADERS["webhook-signature"])
    assert not signed(STANDARD_TIME + timedelta(minutes=6))
    assert not signed(STANDARD_TIME - timedelta(minutes=6))
    assert not signed(STANDARD_TIME, webhook_id="msg_other")
    assert not signed(STANDARD_TIME, webhook_timestamp="1614265331")
    assert not signed(STANDARD_TIME, webhook_timestamp="²")
    assert not signed(STANDARD_TIME, webhook_timestamp="9" * 40)
    assert not signed(STANDARD_TIME, webhook_timestamp="9" * 12)  # behind the last year that there is
    assert not signed(STANDARD_TIME, webhook_timestamp="9" * 11)


def test_the_secret_token_of_gitlab_is_the_secret_itself() -> None:
    secret = new_secret()

    assert is_signed({"x-gitlab-token": secret}, BODY, secret, NOW)
    assert not is_signed({"x-gitlab-token": secret[:-1]}, BODY, secret, NOW)
    assert not is_signed({}, BODY, secret, NOW)


def test_a_weaker_proof_does_not_make_up_for_a_wrong_signature() -> None:
    secret = new_secret()
    headers = {"x-gitlab-token": secret, "x-hub-signature-256": SIGNATURE}

    assert not is_signed(headers, BODY, secret, NOW)


def test_one_secret_serves_every_host() -> None:
    secret = new_secret()
    github = {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), BODY, "sha256").hexdigest()}
    key, at = b64decode(secret[6:]), str(int(NOW.timestamp()))
    digest = hmac.digest(key, f"id.{at}.".encode() + BODY, "sha256")
    gitlab = {"webhook-id": "id", "webhook-timestamp": at, "webhook-signature": "v1," + b64encode(digest).decode()}

    assert [is_signed(item, BODY, secret, NOW) for item in (github, gitlab, {"x-gitlab-token": secret})] == [True] * 3


@given(
    headers=st.dictionaries(st.sampled_from([*STANDARD_HEADERS, "x-hub-signature-256", "x-gitlab-token"]), st.text())
)
def test_nobody_signs_by_chance(headers: dict[str, str]) -> None:
    assert not is_signed(headers, BODY, SECRET, NOW)


def pushed(ref: str = "refs/heads/main", after: str = MAIN, **more: Any) -> dict[str, Any]:
    repository = {
        "clone_url": "https://git.example.org/Acme/site.git",
        "ssh_url": "git@git.example.org:Acme/site.git",
        "html_url": "https://git.example.org/Acme/site",
        "default_branch": "main",
        **more.pop("repository", {}),
    }
    return {"ref": ref, "before": OTHER, "after": after, "repository": repository, **more}


def read(document: Any, **headers: str) -> Any:
    named = {"x-github-event": "push"} if not headers else {k.replace("_", "-"): v for k, v in headers.items()}
    return read_delivery(named, json.dumps(document).encode())


def test_a_push_of_github_names_the_branch_its_hash_and_when() -> None:
    delivered = read(pushed(repository={"pushed_at": 1_700_000_000}))

    assert delivered.update == RefUpdate("refs/heads/main", MAIN, MAIN, datetime.fromtimestamp(1_700_000_000, UTC))
    assert delivered.default_branch == "main"
    assert is_about("ssh://git@git.example.org:2222/acme/SITE.git", delivered.addresses)


def test_a_push_of_an_annotated_tag_names_the_commit_behind_it() -> None:
    github = read(pushed("refs/tags/v1", head_commit={"id": OTHER}))
    gitlab = read(pushed("refs/tags/v1", checkout_sha=OTHER), x_gitlab_event="Tag Push Hook")
    silent = read(pushed("refs/tags/v1"))

    assert [item.update.commit_hash for item in (github, gitlab, silent)] == [OTHER, OTHER, None]
    assert {item.update.hash for item in (github, gitlab, silent)} == {MAIN}


def test_a_deleted_branch_has_no_hash() -> None:
    assert read(pushed(after=NOTHING)).update == RefUpdate("refs/heads/main", None, None, None)


def test_a_push_of_gitlab_has_its_addresses_in_the_project() -> None:
    project = {
        "git_http_url": "https://git.example.org/acme/site.git",
        "git_ssh_url": "git@git.example.org:acme/site.git",
        "web_url": "https://git.example.org/acme/site",
        "default_branch": "trunk",
    }
    document = {"object_kind": "push", "ref": "refs/heads/main", "after": MAIN, "project": project}
    delivered = read(document, x_gitlab_event="Push Hook")

    assert (delivered.default_branch, delivered.update.hash) == ("trunk", MAIN)
    assert is_about("https://git.example.org/acme/site", delivered.addresses)


def test_github_also_sends_json_inside_of_a_form() -> None:
    headers = {"x-github-event": "push", "content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    body = urlencode({"payload": json.dumps(pushed())}).encode()

    assert read_delivery(headers, body).update is not None
    with pytest.raises(MalformedBody):
        read_delivery(headers, b"other=1")


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        read_delivery({"x-github-event": "push"}, body)


@pytest.mark.parametrize(
    "document",
    [
        pushed("refs/pull/1/head"),
        pushed("refs/heads/a b"),
        pushed("refs/heads/" + "x" * 600),
        pushed(after="main"),
        pushed(after=MAIN[:-1]),
        {"ref": None, "repository": 7, "project": []},
    ],
)
def test_what_is_no_branch_and_no_tag_is_not_kept(document: dict[str, Any]) -> None:
    assert read(document).update is None


@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)
    )
)
@pytest.mark.parametrize("name", ["ref", "after", "repository", "project", "head_commit", "checkout_sha"])
def test_whatever_stands_in_a_delivery_it_is_read(name: str, document: Any) -> None:
    read({**pushed(), name: document})


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example.org/acme/site",
        "https://GIT.example.org/Acme/Site.git/",
        "https://git.example.org:8443/acme/site.git",
        "ssh://git@git.example.org:2222/acme/site.git",
        "git://git.example.org/acme/site.git",
        "git@git.example.org:acme/site.git",
        "git.example.org:acme/site",
        "https://git.example.org/acme/%73ite.git",
    ],
)
def test_addresses_of_one_repository_are_the_same(address: str) -> None:
    assert repository_of(address) == ("git.example.org", "acme/site")


@pytest.mark.parametrize("address", ["", "site", "https://[", "https://git.example.org/", ":x", "git@host:"])
def test_what_names_no_repository_is_about_none(address: str) -> None:
    assert repository_of(address) is None
    assert not is_about("https://git.example.org/acme/site", [address])


@pytest.mark.parametrize(
    "address",
    ["https://git.example.org/acme/site2", "https://evil.example.org/acme/site", "https://git.example.org/x/acme/site"],
)
def test_another_repository_is_not_the_same(address: str) -> None:
    assert not is_about("https://git.example.org/acme/site", [address])
    assert not is_about(None, [address])


def test_a_delivery_is_known_by_what_its_host_calls_it() -> None:
    assert delivery_id({"x-github-delivery": "d1", "x-gitlab-event-uuid": "u"}) == "d1"
    assert delivery_id({"webhook-id": "w", "x-gitlab-event-uuid": "u"}) == "w"
    assert delivery_id({"x-gitlab-event-uuid": "u" * 500}) == "u" * 200
    assert delivery_id({}) is None
    assert delivery_id({**STANDARD_HEADERS, "x-github-delivery": "another"}) == STANDARD_HEADERS["webhook-id"]
