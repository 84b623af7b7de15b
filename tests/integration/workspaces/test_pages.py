"""Pages of workspaces: who is shown what, what forms do, and in which words they are refused."""

import hmac
import re
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from dataforge.contexts.workspaces.module import WorkspacesServices
from dataforge.contexts.workspaces.remotes.commands import KeepListing, keep_listing
from dataforge.contexts.workspaces.remotes.domain import RemoteListing, RepoRef
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.kernel.access import MemberRole
from dataforge.kernel.principal import Principal, Role
from dataforge.platform.db.unit_of_work import run
from tests.builders.browser import outcome, send
from tests.builders.browser import person as in_browser
from tests.builders.routes import routes_of
from tests.builders.workspaces import Space, person, taken

PAGE = "/ui/workspaces"
SECTIONS = ("", "/vaults", "/repos", "/members", "/resources")


class Pages:
    """The pages of a workspace in the browsers of its people."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.browsers: dict[str, httpx.AsyncClient] = {}

    @property
    def path(self) -> str:
        return f"{PAGE}/{self.space.id}"

    async def of(self, role: str) -> httpx.AsyncClient:
        if role not in self.browsers:
            self.browsers[role] = await in_browser(self.space.api, self.space.people[role].id, Role.LEARNER)
        return self.browsers[role]

    async def get(self, path: str = "", *, by: str = "owner") -> httpx.Response:
        return await (await self.of(by)).get(f"{self.path}{path}")

    async def send(self, to: str, *, by: str = "owner", **fields: str) -> httpx.Response:
        return await send(await self.of(by), f"{self.path}{to}", fields)

    def forms(self, page: httpx.Response) -> set[str]:
        """What the forms of a page do, as paths below the workspace."""
        sent = re.findall(r'<form method="post" action="([^"]+)"', page.text)
        return {path.removeprefix(self.path) for path in sent if path.startswith(self.path)}


@pytest.fixture
def pages(space: Space) -> Pages:
    return Pages(space)


def id_at_the_end(answer: httpx.Response) -> str:
    """The id of what a form has made, to whose page it led on."""
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


def shown(page: httpx.Response) -> str:
    """The text of a page on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


async def things(space: Space) -> dict[str, str]:
    return {
        "user_id": str(space.people["viewer"].id),
        "repo_id": (await space.post("/repos", name="site"))["id"],
        "vault_id": (await space.post("/vaults", name="Handbook"))["id"],
        "invitation_id": (await space.post("/invitations", email="new@example.org"))["id"],
    }


async def test_somebody_finds_the_workspaces_that_they_are_in_and_no_other(pages: Pages) -> None:
    await pages.space.post("/archive", 200)
    found = {
        query: [name for name in ("Acme", "Elsewhere") if f"<h2>{name}</h2>" in page.text]
        for query in ("", "?state=archived", "?state=all&search=cm", "?state=all&search=nothing")
        if (page := await (await pages.of("viewer")).get(f"{PAGE}{query}"))
    }

    assert found == {
        "": [],
        "?state=archived": ["Acme"],
        "?state=all&search=cm": ["Acme"],
        "?state=all&search=nothing": [],
    }


async def test_a_workspace_is_made_and_changed(pages: Pages) -> None:
    browser = await pages.of("stranger")
    made = await send(
        browser, PAGE, {"name": "  Novartis  ", "description": "For the client", "workspace_type": "client"}
    )
    home = made.headers["location"]
    settings = await browser.get(f"{home}/settings")
    revision = settings.text.partition('name="revision" value="')[2].partition('"')[0]

    fields = {"name": "Roche", "description": "", "workspace_type": "research", "revision": revision}
    changed = await send(browser, f"{home}/settings", fields)
    late = await send(browser, f"{home}/settings", {**fields, "name": "Late"})

    assert (made.status_code, changed.status_code) == (303, 303)
    assert "Roche" in (await browser.get(home)).text
    assert late.status_code == 412
    assert 'value="Late"' in late.text


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"name": ""}, 400, "Must not be empty."),
        ({"name": "x" * 256}, 400, "Must have at most 255 characters."),
        ({"name": "acme"}, 409, "The owner already has a workspace named &#39;acme&#39;"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(
    pages: Pages, fields: dict[str, str], status: int, words: str
) -> None:
    answer = await send(await pages.of("owner"), PAGE, {"workspace_type": "general", **fields})

    assert answer.status_code == status
    assert re.search(rf'id="why-name">{re.escape(words)}', answer.text), answer.text
    assert 'aria-describedby="why-name"' in answer.text


async def test_each_role_is_offered_what_it_may_do_and_nothing_else(pages: Pages) -> None:
    ids = await things(pages.space)
    places = [*SECTIONS, "/invitations", "/settings", f"/repos/{ids['repo_id']}", f"/vaults/{ids['vault_id']}/settings"]
    offered: dict[str, set[str]] = {}
    for role in MemberRole:
        forms: set[str] = set()
        for place in places:
            page = await pages.get(place, by=role.value)
            if page.status_code == 200:
                forms |= pages.forms(page)
        offered[role.value] = {re.sub(r"[0-9a-f-]{36}", "*", form) for form in forms}

    leaving = {"/members/*/remove"}
    writing = {"/repos", "/repos/*", "/repos/*/webhook-secret", "/vaults", "/vaults/*/settings"}
    keeping = {
        "/members/*/role",
        "/invitations",
        "/invitations/*/resend",
        "/invitations/*/revoke",
        "/settings",
        "/repos/*/delete",
        "/vaults/*/lock",
        "/vaults/*/delete",
    }
    assert offered["viewer"] == leaving
    assert offered["editor"] == leaving | writing
    assert offered["admin"] == leaving | writing | keeping
    assert offered["owner"] == leaving | writing | keeping | {"/archive", "/transfer"}


async def test_what_a_role_is_not_offered_is_refused_to_it(pages: Pages) -> None:
    ids = await things(pages.space)
    fields = {"name": "x", "email": "zoe@example.org", "role": "viewer", "user_id": ids["user_id"]}
    fields |= {"revision": "*", "workspace_type": "general"}
    refused = {}
    for path in (
        "/settings",
        "/archive",
        "/transfer",
        "/invitations",
        f"/invitations/{ids['invitation_id']}/revoke",
        f"/members/{pages.space.people['editor'].id}/role",
        f"/members/{pages.space.people['editor'].id}/remove",
        "/repos",
        f"/repos/{ids['repo_id']}/delete",
        "/vaults",
        f"/vaults/{ids['vault_id']}/lock",
    ):
        answer = await pages.send(path, by="viewer", **fields)
        refused[path] = answer.status_code

    assert refused == dict.fromkeys(refused, 403)
    assert (await pages.get("/invitations", by="editor")).status_code == 403
    assert (await pages.get("/settings", by="editor")).status_code == 403


async def test_a_stranger_finds_no_page_of_a_workspace(pages: Pages) -> None:
    ids = await things(pages.space)
    walked = [item for item in routes_of(pages.space.api) if item[1].path_format.startswith(f"{PAGE}/{{workspace_id}}")]
    sample = "00000000-0000-7000-8000-000000000000"
    answers: dict[tuple[str, str], Any] = {}
    for method, route in walked:
        given = {name: ids.get(name, sample) for name in route.param_convertors} | {"workspace_id": pages.space.id}
        path, browser = route.path_format.format(**given), await pages.of("stranger")
        answer = await browser.get(path) if method == "GET" else await send(browser, path, {"name": "x"})
        answers[method, route.path_format] = outcome(answer)

    assert len(answers) > 20
    assert {at: answer for at, answer in answers.items() if answer != (404, "workspace_not_found")} == {}


async def test_members_change_leave_and_hand_over(pages: Pages) -> None:
    people = pages.space.people
    raised = await pages.send(f"/members/{people['viewer'].id}/role", role="editor")
    removed = await pages.send(f"/members/{people['editor'].id}/remove", by="admin")
    handed = await pages.send("/transfer", user_id=str(people["admin"].id))
    left = await pages.send(f"/members/{people['owner'].id}/remove")

    assert [answer.status_code for answer in (raised, removed, handed, left)] == [303] * 4
    assert left.headers["location"] == PAGE
    assert (await pages.get("/members")).status_code == 404
    found = taken(await pages.space["admin"].get(f"{pages.space.path}/members"))["items"]
    assert {row["username"]: row["role"] for row in found} == {"admin": "owner", "viewer": "editor"}


async def test_the_last_owner_is_told_why_they_cannot_leave(pages: Pages) -> None:
    answer = await pages.send(f"/members/{pages.space.people['owner'].id}/remove")

    assert answer.status_code == 409
    assert "This is the last owner of the workspace; make another member an owner first." in answer.text


async def test_somebody_is_invited_again_revoked_and_joins(pages: Pages) -> None:
    space, zoe = pages.space, await person(pages.space.api, "zoe")
    first = await pages.send("/invitations", by="admin", email="zoe@example.org", role="viewer")
    twice = await pages.send("/invitations", by="admin", email="zoe@example.org", role="viewer")
    forbidden = await pages.send("/invitations", by="admin", email="eve@example.org", role="owner")
    [row] = taken(await space["owner"].get(f"{space.path}/invitations", params={"limit": 1}))["items"]
    soon = await pages.send(f"/invitations/{row['id']}/resend", by="admin")
    token = space.api.platform.get(WorkspacesServices).invitation_token(UUID(row["id"]), 1)
    browser = await in_browser(space.api, zoe.id, Role.LEARNER)

    joined = await send(browser, f"{PAGE}/accept", {"token": token})
    again = await send(browser, f"{PAGE}/accept", {"token": token})
    late = await pages.send(f"/invitations/{row['id']}/revoke", by="admin")

    assert [answer.status_code for answer in (first, twice, forbidden, soon)] == [303, 409, 403, 429]
    assert "zoe@example.org is invited already" in twice.text
    assert "Only an owner may make somebody an owner." in forbidden.text
    assert (joined.status_code, joined.headers["location"]) == (303, pages.path)
    assert (await browser.get(pages.path)).status_code == 200
    assert again.status_code == 409
    assert "This invitation was accepted." in again.text
    assert "Accept the invitation" not in again.text
    assert late.status_code == 409


async def test_whoever_has_not_proved_the_invited_address_is_led_to_its_confirmation(pages: Pages) -> None:
    space = pages.space
    invited = await space.post("/invitations", email="zoe@example.org")
    token = space.api.platform.get(WorkspacesServices).invitation_token(UUID(invited["id"]), 1)
    zoe = await space.api.add_user(Role.LEARNER, username="zoe", email="zoe@example.org", email_confirmed_at=None)
    browser = await in_browser(space.api, zoe, Role.LEARNER)

    refused = await send(browser, f"{PAGE}/accept", {"token": token})

    assert refused.status_code == 403
    assert "an address that you have not proved to be yours" in refused.text
    assert 'href="/ui/account/email"' in refused.text
    assert 'action="/ui/account/email/confirmation"' in refused.text
    assert f'href="{PAGE}/accept?token={token}"' in refused.text


async def test_a_workspace_that_is_not_deleted_says_that_its_deletion_makes_an_export(pages: Pages) -> None:
    owner = await pages.of("owner")
    answer = await owner.get(f"{pages.path}/export")
    page = await owner.get(answer.headers["location"])

    assert (answer.status_code, answer.headers["location"]) == (303, pages.path)
    assert "This workspace is not deleted." in page.text
    assert "being written" not in page.text


async def test_repos_are_added_changed_and_deleted(pages: Pages) -> None:
    wrong = await pages.send("/repos", by="editor", name="site", path="", remote_url="javascript:alert(1)")
    made = await pages.send("/repos", by="editor", name="site", path="", remote_url="https://git.example.org/a/b.git")
    repo = f"/repos/{id_at_the_end(made)}"
    cleared = await pages.send(repo, by="editor", name="site", path="code/site", remote_url="", revision="1")
    page = await pages.get(repo, by="editor")
    gone = await pages.send(f"{repo}/delete", by="admin")

    assert wrong.status_code == 400
    assert 'id="why-remote_url">Must be an http, https, git or ssh address, or user@host:path.' in wrong.text
    assert 'value="javascript:alert(1)"' in wrong.text
    assert (cleared.status_code, gone.status_code) == (303, 303)
    assert "code/site" in page.text
    assert "https://git.example.org/a/b.git" not in page.text
    assert (await pages.get(repo)).status_code == 404


async def test_a_vault_is_locked_and_deleted_by_its_name(pages: Pages) -> None:
    made = await pages.send("/vaults", by="editor", name="Handbook", path="")
    vault = f"/vaults/{id_at_the_end(made)}"
    renamed = await pages.send(f"{vault}/settings", by="editor", name="Manual", path="docs/manual", revision="1")
    locked = await pages.send(f"{vault}/lock", by="admin", locked="yes")
    refused = await pages.send(f"{vault}/settings", by="editor", name="Other", path="x", revision="3")
    unlocked = await pages.send(f"{vault}/lock", by="admin")
    mistyped = await pages.send(f"{vault}/delete", by="admin", name="Handbook")
    deleted = await pages.send(f"{vault}/delete", by="admin", name="Manual")

    answers = (renamed, locked, refused, unlocked, mistyped, deleted)
    assert [answer.status_code for answer in answers] == [303, 303, 423, 303, 400, 303]
    assert "is locked; an administrator of the workspace can unlock it" in refused.text
    assert "Type Manual to say that you mean it." in mistyped.text


async def test_an_archived_workspace_offers_nothing_but_its_end_and_its_return(pages: Pages) -> None:
    ids = await things(pages.space)
    archived = await pages.send("/archive")
    forms: set[str] = set()
    for place in (*SECTIONS, "/invitations", "/settings", f"/repos/{ids['repo_id']}", f"/vaults/{ids['vault_id']}"):
        page = await pages.get(place)
        assert "The workspace is archived since" in page.text
        forms |= pages.forms(page)
    refused = await pages.send("/repos", name="late")
    own = str(pages.space.people["owner"].id)

    mistyped = await pages.send("/delete", name="acme")
    back = await pages.send("/unarchive")
    early = await pages.send("/delete", name="Acme")
    await pages.send("/archive")
    deleted = await pages.send("/delete", name="Acme")

    assert forms == {"/unarchive", "/delete", f"/members/{own}/remove"}
    assert refused.status_code == 409
    assert "The workspace is archived; an owner can unarchive it." in refused.text
    answers = (archived, mistyped, back, early, deleted)
    assert [answer.status_code for answer in answers] == [303, 400, 303, 409, 303]
    assert (await pages.get()).status_code == 404


async def test_what_is_ones_own_is_shared_and_shared_no_longer(pages: Pages) -> None:
    editor = pages.space.people["editor"]
    body = {"resource_type": "contact", "name": "Grace Hopper"}
    made = taken(await editor.client.post(f"/api/user-profiles/{editor.id}/resources", json=body), 201)

    done = await pages.send("/resources", by="editor", resource_id=made["id"], access_level="copy")
    seen = shown(await pages.get("/resources", by="viewer"))
    foreign = await pages.send("/resources", by="admin", resource_id=made["id"], access_level="read")
    wrong = await pages.send("/resources", by="editor", resource_id="", access_level="read")
    ended = await pages.send(f"/resources/{made['id']}/unshare", by="admin")

    assert [answer.status_code for answer in (done, foreign, wrong, ended)] == [303, 404, 400, 303]
    assert "Grace Hopper contact reading and copying" in seen
    assert "Choose one of your resources" in wrong.text
    assert "Grace Hopper" not in (await pages.get("/resources", by="viewer")).text


async def test_a_remote_is_asked_and_its_webhook_set_up(pages: Pages) -> None:
    url = "https://github.com/acme/site.git"
    repo = f"/repos/{(await pages.space.post('/repos', name='site', remote_url=url))['id']}"
    secret = await pages.send(f"{repo}/webhook-secret", by="editor")
    body = b'{"zen": "x"}'
    [shown_secret] = re.findall(r'id="secret">([^<]+)<', secret.text)
    [address] = re.findall(r'id="address">([^<]+)<', secret.text)
    signature = hmac.new(shown_secret.encode(), body, "sha256").hexdigest()
    headers = {"X-GitHub-Event": "ping", "X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Delivery": "1"}
    delivered = await (await pages.space.api.client()).post(
        urlsplit(address).path, content=body, headers={**headers, "Content-Type": "application/json"}
    )

    asked = await pages.send(f"{repo}/refresh", by="editor")
    waiting = await pages.get(repo, by="editor")
    for _ in range(5):
        await pages.send(f"{repo}/refresh", by="editor")
    often = await pages.send(f"{repo}/refresh", by="editor")
    removed = await pages.send(f"{repo}/webhook-secret/remove", by="editor")

    assert (secret.status_code, secret.headers["cache-control"]) == (201, "no-store")
    assert taken(delivered) == {"status": "pong"}
    assert asked.status_code == 303
    assert "The remote is being asked" in waiting.text
    assert shown_secret not in waiting.text
    assert "Make another secret" in waiting.text
    assert often.status_code == 429
    assert "A repo is refreshed at most 6 times a minute." in often.text
    assert removed.status_code == 303
    assert "Set the webhook up" in (await pages.get(repo, by="editor")).text
    assert (await pages.send(f"{repo}/refresh", by="viewer")).status_code == 403


async def test_branches_and_tags_are_shown(pages: Pages) -> None:
    url = "https://git.example.org/acme/site.git"
    repo_id = (await pages.space.post("/repos", name="site", remote_url=url))["id"]
    listing = RemoteListing(
        (RepoRef("refs/heads/main", "a" * 40, "a" * 40), RepoRef("refs/tags/v1", "b" * 40, "c" * 40)), "main", False
    )
    owner = Principal(pages.space.people["owner"].id, Role.LEARNER)
    command = KeepListing(UUID(pages.space.id), UUID(repo_id), url, listing, pages.space.api.platform.clock.now())
    uow = WorkspacesUnitOfWork(pages.space.api.database, principal=owner, clock=pages.space.api.platform.clock)
    await run(uow, keep_listing, command)

    page = shown(await pages.get(f"/repos/{repo_id}", by="viewer"))

    assert "main default branch aaaaaaaaaaaa v1 tag cccccccccccc" in page
    assert "Default branch main" in page


async def test_a_deleted_workspace_is_listed_for_its_owners_and_restored(pages: Pages) -> None:
    await pages.send("/archive")
    await pages.send("/delete", name="Acme")
    owner, admin = await pages.of("owner"), await pages.of("admin")
    listed = [await browser.get(f"{PAGE}?state=deleted") for browser in (owner, admin)]
    waiting = await owner.get(f"{pages.path}/export")
    refused = await send(admin, f"{pages.path}/restore", {})
    back = await send(owner, f"{pages.path}/restore", {})
    settings = await pages.get("/settings")

    assert [">Restore</button>" in page.text for page in listed] == [True, False]
    assert waiting.headers["location"] == f"{PAGE}?state=deleted"
    assert refused.status_code == 404
    assert (back.status_code, settings.status_code) == (303, 200)
    assert "The workspace is archived since" in settings.text


async def test_a_workspace_leads_to_its_transcripts_and_tutorials(pages: Pages) -> None:
    home = await pages.get(by="viewer")
    links = re.findall(r'href="(/ui/(?:transcripts|tutorials)\?[^"]+)"', home.text)

    assert len(links) == 2
    assert [(await (await pages.of("viewer")).get(link)).status_code for link in links] == [200, 200]
