"""A frontend of another origin calls the API from Chromium: allowed origins may, with every header they need."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from dataforge.kernel.principal import Role
from tests.builders.browser import PASSWORD
from tests.builders.site import Site

# Signs in, reads a course, has it checked whether it changed, changes it with If-Match, and reads what went wrong.
_JOURNEY = """
async ({ api, path, username, password }) => {
  const signedIn = await fetch(api + "/api/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username, password }),
  });
  const headers = { Authorization: "Bearer " + (await signedIn.json()).access_token };
  const read = await fetch(api + path, { headers });
  const tag = read.headers.get("ETag");
  const again = await fetch(api + path, { headers: { ...headers, "If-None-Match": tag } });
  const changed = await fetch(api + path, {
    method: "PATCH",
    headers: { ...headers, "If-Match": tag, "Content-Type": "application/json", "Accept-Language": "de" },
    body: JSON.stringify({ description: "From another origin." }),
  });
  const refused = await fetch(api + path + "?titel=x", { headers });
  const anonymous = await fetch(api + path);
  return {
    statuses: [signedIn, read, again, changed, refused, anonymous].map((answer) => answer.status),
    tag,
    request: refused.headers.get("X-Request-Id"),
    code: (await refused.json()).code,
  };
}
"""


class Blank(BaseHTTPRequestHandler):
    """An empty page: the origin of a frontend."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A frontend</title>")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is overridden
        pass


@pytest.fixture(scope="module")
def frontend() -> Iterator[int]:
    with ThreadingHTTPServer(("", 0), Blank) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def opened(chromium: Browser, origin: str) -> Page:
    page = chromium.new_context().new_page()
    page.goto(origin)
    return page


def test_an_origin_that_is_allowed_works_with_the_api(site: Site, chromium: Browser, frontend: int) -> None:
    page = opened(chromium, f"http://127.0.0.1:{frontend}")
    path = site.places.course.replace("/ui/", "/api/")

    result = page.evaluate(
        _JOURNEY, {"api": site.url, "path": path, "username": site.people[Role.ADMIN], "password": PASSWORD}
    )

    # Chromium answers a 304 that it did not ask for itself as it comes.
    assert result["statuses"] == [200, 200, 304, 200, 400, 401]
    assert result["tag"].strip('W/"')
    assert result["code"] == "unknown_parameter"
    assert result["request"]
    page.context.close()


def test_another_one_does_not(site: Site, chromium: Browser, frontend: int) -> None:
    page = opened(chromium, f"http://localhost:{frontend}")  # only 127.0.0.1 is allowed here

    reason = page.evaluate("(api) => fetch(api + '/api/courses').then(() => 'read', (error) => error.name)", site.url)

    assert reason == "TypeError"
    page.context.close()
