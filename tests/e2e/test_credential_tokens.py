"""OAuth 2.0 client credentials through the gateway: a token, and what it is good for at the record store."""

import httpx
import pytest

from infra.local.stack import LocalStack
from tests.builders.deployed import told
from tests.builders.statements import statement

pytestmark = pytest.mark.build


def test_a_token_sends_statements_and_reads_none_without_the_scope(
    stack: LocalStack, http: httpx.Client, lms: httpx.Client
) -> None:
    credential = stack.facts["credentials"]["xapi"]
    form = {"grant_type": "client_credentials", "scope": "statements/write"}
    auth = (credential["key"], credential["secret"])
    answer = http.post(f"{stack.facts['api_url']}/oauth/token", data=form, auth=auth)
    token = told(answer)["access_token"]
    assert answer.headers["Cache-Control"] == "no-store"
    headers = {"Authorization": f"Bearer {token}", "X-Experience-API-Version": "2.0.0"}
    address = f"{stack.facts['xapi_url']}/statements"

    (sent,) = told(http.post(address, json=statement(), headers=headers))
    refused = http.get(address, headers=headers)

    assert told(lms.get("/statements", params={"statementId": sent}))["id"] == sent
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")


def test_a_wrong_secret_gets_no_token(stack: LocalStack, http: httpx.Client) -> None:
    key = stack.facts["credentials"]["xapi"]["key"]

    answer = http.post(
        f"{stack.facts['api_url']}/oauth/token", data={"grant_type": "client_credentials"}, auth=(key, "not it")
    )

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
