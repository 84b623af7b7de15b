"""A headless Chromium, and the console on a port of its own."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from dataforge.kernel.principal import Role
from infra.local.browser import Browser as Installed
from infra.local.browser import browser
from infra.local.emulator import Emulator
from infra.local.postgres import PostgresServer
from tests.builders.browser import PASSWORD
from tests.builders.chromium import started_chromium
from tests.builders.emulator import emulated_aws
from tests.builders.reused_database import grant_making_of_schemas
from tests.builders.site import Site

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(event.violatedDirective + " " + event.blockedURI);
  console.error("content security policy: " + event.violatedDirective);
});
"""


@pytest.fixture(scope="session")
def site(postgres: PostgresServer, template_database: str, emulator_server: Emulator) -> Iterator[Site]:
    """The console, filled; tests add what they change."""
    name = f"browser_{secrets.token_hex(4)}"
    url = postgres.create_database(name, template=template_database)
    grant_making_of_schemas(url)
    with emulated_aws(emulator_server) as aws:
        site = Site(url, aws)
        site.start()
        yield site
        site.close()


@pytest.fixture(scope="session")
def installed() -> Installed:
    """What is on this machine."""
    return browser()


@pytest.fixture(scope="session")
def chromium(installed: Installed) -> Iterator[Browser]:
    """One browser for all tests; each test has contexts of its own."""
    with started_chromium(installed) as started:
        yield started


@dataclass
class Desk:
    """Opens pages, and hears what the browser complains about."""

    site: Site
    chromium: Browser
    axe: str
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "/ui", *, role: Role | None = None, name: str = "", scripts: bool = True) -> Page:
        """A page in a browser of its own, signed in as a role's person or by name."""
        context = self.chromium.new_context(
            base_url=self.site.url, viewport={**DESKTOP}, java_script_enabled=scripts, reduced_motion="reduce"
        )
        self.contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        if scripts:
            context.add_init_script(_WATCH)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        username = name or (self.site.people[role] if role else "")
        if username:
            page.goto("/ui/sign-in")
            page.get_by_label("Username").fill(username)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("main").get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/ui")
        page.goto(path)
        return page

    def _heard(self, message: object) -> None:
        if getattr(message, "type", "") in ("error", "warning"):
            self.complaints.append(str(getattr(message, "text", message)))

    def expect_complaint(self, part: str) -> None:
        """Take away the complaints that a test makes the browser utter."""
        assert [text for text in self.complaints if part in text], self.complaints
        self.complaints[:] = [text for text in self.complaints if part not in text]

    def too_wide(self, page: Page) -> int:
        """By how many pixels a page is wider than its screen; what it is known by has been waited for."""
        page.wait_for_load_state()  # the parts below may still be on their way
        cut = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return max(0, int(cut))

    def barriers(self, page: Page) -> list[str]:
        """What axe finds in a page (WCAG 2.2 A and AA, and its best practices); it has been waited for as above."""
        page.wait_for_load_state()
        page.evaluate(self.axe)
        found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
        return [f"{item['id']}: {node['target']} {node['failureSummary']}" for item in found for node in item["nodes"]]


@pytest.fixture
def desk(site: Site, chromium: Browser, installed: Installed) -> Iterator[Desk]:
    """A desk; at the end nothing may have been complained about."""
    desk = Desk(site, chromium, installed.axe.read_text(encoding="utf-8"))
    yield desk
    for context in desk.contexts:
        context.close()
    assert desk.complaints == []
