"""The deployed stack, brought up by the launcher's own code in `.local/test`, beside whatever `make run` has going.

Its fixtures are one set for the tests of the functions and the journeys, since there is one stack.
"""

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from infra.local.layout import TEST
from infra.local.stack import LocalStack, exclusive, reset, start


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """A fresh stack of this test session: deployed from template.yaml, migrated, with its first credentials.

    What scripts get from `stack.json` is `stack.facts`. A test may stop the database or kill workers, and must leave
    the stack running.
    """
    reset(TEST)
    with exclusive(TEST):
        running = start(TEST)
        try:
            yield running
        finally:
            running.stop()


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """A client for the deployed addresses; a cold function takes its time."""
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def admin(stack: LocalStack, http: httpx.Client) -> Iterator[httpx.Client]:
    """A client signed in as the first administrator, with the API's address as its base."""
    account = stack.facts["credentials"]["admin"]
    answer = http.post(f"{stack.facts['api_url']}/api/auth/login", json=account)
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    with httpx.Client(base_url=stack.facts["api_url"], headers=headers, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def lms(stack: LocalStack) -> Iterator[httpx.Client]:
    """A client that sends statements with the first xAPI credential, with the xAPI endpoint as its base."""
    credential = stack.facts["credentials"]["xapi"]
    with httpx.Client(
        base_url=stack.facts["xapi_url"],
        auth=(credential["key"], credential["secret"]),
        headers={"X-Experience-API-Version": "1.0.3"},
        timeout=60,
    ) as client:
        yield client


@pytest.fixture(scope="session")
def eventually() -> Callable[..., None]:
    """Wait until a condition holds; fails with what was awaited when it never does."""

    def wait(condition: Callable[[], bool], what: str, *, within_seconds: float = 90) -> None:
        deadline = time.monotonic() + within_seconds
        while not condition():
            assert time.monotonic() < deadline, f"never happened within {within_seconds} s: {what}"
            time.sleep(0.25)

    return wait
