"""Signing in at a provider through the gateway of a deployed stack: there and back behind the stage."""

import httpx
import pytest

from dataforge.kernel.clock import SystemClock
from infra.local.stack import LocalStack
from tests.builders.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider

pytestmark = pytest.mark.build


def test_somebody_signs_in_at_a_provider(stack: LocalStack, admin: httpx.Client) -> None:
    api = stack.facts["api_url"]
    provider = OidcProvider(SystemClock())
    provider.people["ada-1"] = {"email": "ada@campus.example", "email_verified": True, "name": "Ada"}
    with provider.served(), httpx.Client(timeout=60, headers={"Accept": "text/html"}) as browser:
        body = {"name": "Campus", "issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        made = admin.post("/api/sign-in-providers", json={**body, "creates_accounts": True})
        assert made.status_code == 201, made.text
        with_it = f"{api}/ui/sign-in/with/{made.json()['id']}"

        there = browser.get(with_it, params={"next": f"{httpx.URL(api).path}/ui/courses"})
        assert there.status_code == 303, there.text
        back = httpx.URL(there.headers["location"]).params["redirect_uri"]
        answer = browser.get(back, params=provider.approve(there.headers["location"], "ada-1"))

        assert back == f"{with_it}/return"
        assert (answer.status_code, answer.headers["location"]) == (303, f"{httpx.URL(api).path}/ui/courses")
        assert "My schedule" in browser.get(f"{api}/ui/courses").text
