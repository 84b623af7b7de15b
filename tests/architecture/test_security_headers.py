"""The headers that tell browsers what an answer may do, on every answer."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser

import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from tests.builders.api import ApiUnderTest
from tests.builders.browser import keep
from tests.builders.routes import APPS, app_under_test, routes_of

SAMPLE = "00000000-0000-7000-8000-000000000000"
NEVER = ("'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'", "*", "http:", "https:", "data:")


class Inline(HTMLParser):
    """Collects what a policy without `unsafe-inline` would not run: such a page would be broken."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(f"<{tag}>")
        self.found += [f"{name}=" for name in given if name == "style" or name.startswith("on")]
        self.found += [f"{name}={value}" for name, value in attrs if (value or "").lower().startswith("javascript:")]


@pytest.fixture(params=APPS)
async def api(request: pytest.FixtureRequest, database: Database, clock: FixedClock) -> AsyncIterator[ApiUnderTest]:
    """Each of our apps in turn."""
    async with app_under_test(request.param, database, clock) as api:
        yield api


def policy(header: str) -> dict[str, list[str]]:
    directives = (part.split() for part in header.split(";"))
    return {name: values for name, *values in filter(None, directives)}


@pytest.mark.slow
async def test_no_answer_may_be_framed_sniffed_or_run_what_is_inline(api: ApiUnderTest) -> None:
    admin, pages = await api.as_role(Role.ADMIN), 0
    walked = {(method, route.path_format) for method, route in routes_of(api)} | {
        ("GET", "/nowhere"),
        ("PUT", "/api/users"),
    }
    names = {"code": "not_found", "name": "app.css", "dataset_id": SAMPLE}
    keep(admin, f"a-refresh-token.{admin.headers['Authorization'].removeprefix('Bearer ')}")

    for method, path in sorted(walked):
        given = dict.fromkeys((part.split("}")[0] for part in path.split("{")[1:]), "1") | names
        answer = await admin.request(method, path.format(**given), headers={"Accept": "text/html"})
        rules = policy(answer.headers["content-security-policy"])

        assert rules["default-src"] == ["'none'"], path
        assert rules["frame-ancestors"] == ["'none'"], path
        assert rules["base-uri"] == ["'none'"], path
        assert not {value for values in rules.values() for value in values} & set(NEVER), path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert answer.headers["referrer-policy"] == "no-referrer", path
        assert answer.headers["strict-transport-security"].startswith("max-age="), path
        if answer.headers.get("content-type", "").startswith("text/html"):
            pages += 1
            inline = Inline()
            inline.feed(answer.text)
            assert inline.found == [], path

    assert pages >= (30 if ("GET", "/errors") in walked else 20)
