"""What is repeated, what is renewed, and what becomes of refusals."""

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from dataforge.kernel.principal import Role
from dataforge_client import (
    AsyncClient,
    Client,
    ClientError,
    Forbidden,
    Locked,
    NotFound,
    Retries,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unreachable,
    ValidationFailed,
)
from infra.local.ports import free_port
from tests.builders.served import ServedApi

UNAVAILABLE = (503, {"retry-after": "0"}, b"busy")


def keys(served: ServedApi) -> set[str | None]:
    return {headers.get("idempotency-key") for method, _, headers in served.requests if method == "POST"}


def test_what_is_unavailable_is_asked_for_again_with_the_same_key(served: ServedApi, client: Client) -> None:
    served.answers = [UNAVAILABLE, (429, {"retry-after": "0"}, b"{}")]

    client.datasets.create("Grades")

    assert len(served.requests) == 3
    assert len(keys(served)) == 1
    assert None not in keys(served)


def test_two_requests_have_two_keys(served: ServedApi, client: Client) -> None:
    client.datasets.create("One")
    client.datasets.create("Two")

    assert len(keys(served)) == 2


def test_patience_ends_and_long_waits_are_left_to_the_caller(served: ServedApi, client: Client) -> None:
    served.answers = [UNAVAILABLE] * 3
    with pytest.raises(ServerError) as failed:
        client.me()
    served.requests.clear()
    served.answers = [(429, {"retry-after": "3600"}, b'{"code": "too_many_requests", "detail": "Later."}')]
    with pytest.raises(TooManyRequests) as refused:
        client.me()

    assert (failed.value.status, failed.value.code, failed.value.detail) == (503, "http_503", "busy")
    assert len(served.requests) == 1
    assert refused.value.retry_after == 3600


def test_errors_say_what_where_and_which_request(client: Client) -> None:
    with pytest.raises(ValidationFailed) as refused:
        client.request("POST", "/api/datasets", json={"name": "", "tags": [1]})

    error = refused.value
    assert (error.status, {item.pointer for item in error.errors}) == (400, {"/name", "/tags/0"})
    assert error.request_id
    assert all(text in str(error) for text in ("/name", "/tags/0", error.request_id, error.code))


def test_each_refusal_is_an_exception_of_its_own(served: ServedApi, client: Client) -> None:
    grades = client.datasets.create("Grades")
    grades.commit([{"a": 1}], message="one")
    client.request(
        "PUT",
        f"/api/datasets/{grades.info().id}/refs/main/protection",
        json={"protected": True, "required_approvals": 1},
    )

    with pytest.raises(Locked):
        grades.change([{"op": "insert", "values": {"a": 2}}], message="two")
    with pytest.raises(NotFound):
        grades.to_pandas("no-such-branch")
    with pytest.raises(Forbidden):
        client.request("GET", "/api/users")
    with Client(served.url, "no token") as nobody, pytest.raises(Unauthorized):
        nobody.me()


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with (
        Client(f"http://127.0.0.1:{free_port()}", "t", retries=Retries(2, 0.01)) as client,
        pytest.raises(Unreachable, match=r"127\.0\.0\.1 does not answer"),
    ):
        client.me()


class Hanging:
    """Accepts connections and says nothing."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    server = Hanging()
    yield server
    server.socket.close()


async def test_a_server_that_hangs_is_given_up(hanging: Hanging) -> None:
    with (
        Client(hanging.url, "t", retries=Retries(2, 0.01), timeout=0.05) as client,
        pytest.raises(Unreachable),
    ):
        client.datasets.create("x")
    async with AsyncClient(hanging.url, "t", retries=Retries(2, 0.01), timeout=0.05) as client:
        with pytest.raises(Unreachable):
            await client.me()


def test_a_sign_in_is_renewed_and_kept_where_the_next_client_finds_it(
    served: ServedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, name, password = served.person()
    monkeypatch.setenv("DATAFORGE_CONFIG", str(tmp_path / "config.json"))
    for variable in ("DATAFORGE_URL", "DATAFORGE_TOKEN", "DATAFORGE_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    with Client.sign_in(served.url, name, password) as client:
        assert client.me()["username"] == name
        signed_in = client.session.credentials._signed_in
        assert signed_in is not None
    profile = {"url": served.url, "access_token": "stale", "refresh_token": signed_in.refresh_token, "expires_at": 2e9}
    (tmp_path / "config.json").write_text(json.dumps({"profiles": {"default": profile}}))

    with Client.from_env() as first, Client.from_env() as second:
        assert first.me()["username"] == name
        # It has the stale one still, and finds what the first has kept.
        assert second.me()["username"] == name

    refreshes = [path for _, path, _ in served.requests if path == "/api/auth/refresh"]
    assert len(refreshes) == 1
    kept = json.loads((tmp_path / "config.json").read_text())["profiles"]["default"]
    assert kept["access_token"] != "stale"


def test_a_token_is_renewed_before_it_ends(served: ServedApi) -> None:
    _, name, password = served.person()
    with Client.sign_in(served.url, name, password) as client:
        credentials = client.session.credentials
        assert credentials._signed_in is not None
        credentials._signed_in = type(credentials._signed_in)(
            credentials._signed_in.access_token, credentials._signed_in.refresh_token, 0.0
        )

        assert client.me()["username"] == name
        assert client.me()["username"] == name

    assert [path for _, path, _ in served.requests].count("/api/auth/refresh") == 1


async def test_a_sign_in_that_has_ended_says_so(served: ServedApi) -> None:
    _, name, password = served.person()
    async with await AsyncClient.sign_in(served.url, name, password) as client:
        assert (await client.me())["username"] == name
        served.clock.advance(timedelta(days=400))

        with pytest.raises(Unauthorized, match="Sign in again"):
            await client.me()


def test_a_wrong_password_is_refused(served: ServedApi) -> None:
    _, name, _ = served.person()

    with pytest.raises(ClientError, match=r"\[401"):
        Client.sign_in(served.url, name, "wrong")


def test_any_client_of_httpx_goes_between(served: ServedApi) -> None:
    seen: list[str] = []

    class Noting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> Any:
            seen.append(request.headers["user-agent"])
            return super().handle_request(request)

    with Client(served.url, served.token(Role.VIEWER), transport=Noting()) as client:
        client.me()

    assert seen[0].startswith("dataforge-client/")
