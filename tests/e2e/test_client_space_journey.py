"""Journey 7: a client's workspace, somebody invited into it, its repo, vault and notes, a lock, and the archive."""

import re
from collections.abc import Callable
from secrets import token_hex

import httpx
import pytest

from infra.local.stack import LocalStack

pytestmark = pytest.mark.build
PASSWORD = "a quiet lake at dawn"


def taken(answer: httpx.Response, status: int = 200) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    content: dict[str, str] = answer.json()
    return content


def test_a_client_space_is_shared_locked_and_archived(
    admin: httpx.Client, stack: LocalStack, eventually: Callable[..., None]
) -> None:
    tag = token_hex(4)
    address = f"zoe@{tag}.example.org"
    me = taken(admin.get("/api/users/me"))["id"]
    made = {"name": f"Acme {tag}", "workspace_type": "client"}
    workspace = taken(admin.post(f"/api/user-profiles/{me}/workspaces", json=made), 201)["id"]
    path = f"/api/workspaces/{workspace}"
    taken(admin.post(f"{path}/invitations", json={"email": address, "role": "editor"}), 201)

    def token_of(page: str) -> str:
        """The token in the first mail to the address that leads to a page; waits for it."""

        def links() -> list[str]:
            mails = [mail for mail in stack.mailbox.mails() if mail.recipients == (address,)]
            return [link for mail in mails for link in re.findall(rf"\S+{page}\?\S+", mail.text)]

        stack.invoke("maintenance", {"command": "tick"})
        eventually(lambda: len(links()) > 0, f"a mail leads to {page}")
        return httpx.URL(links()[0]).params["token"]

    account = {"username": f"zoe_{tag}", "email": address, "password": PASSWORD}
    with httpx.Client(base_url=stack.facts["api_url"], timeout=60) as zoe:
        taken(zoe.post("/api/signup", json=account), 201)
        login = {"username": account["username"], "password": PASSWORD}
        zoe.headers["Authorization"] = f"Bearer {taken(zoe.post('/api/auth/login', json=login))['access_token']}"
        accept = {"token": token_of("/ui/workspaces/accept")}
        refused = zoe.post("/api/workspace-invitations/accept", json=accept)
        assert (refused.status_code, refused.json()["code"]) == (403, "invitation_for_somebody_else")
        proof = zoe.post("/api/email-addresses/confirm", json={"token": token_of("/ui/confirm-email")})
        assert (proof.status_code, zoe.get(path).status_code) == (204, 404)
        assert taken(zoe.post("/api/workspace-invitations/accept", json=accept))["role"] == "editor"

        remote = {"name": "site", "remote_url": "https://git.example.org/acme/site.git"}
        taken(zoe.post(f"{path}/repos", json=remote), 201)
        vault = f"{path}/vaults/{taken(zoe.post(f'{path}/vaults', json={'name': 'Handbook'}), 201)['id']}"
        text = {
            "path": "setup/router.md",
            "body_md": "# Router\n\nUpgrade to v1.2.3-rc.1 from https://example.org/fw?x=1",
        }
        note = f"{vault}/notes/{taken(zoe.post(f'{vault}/notes', json=text), 201)['id']}"
        [hit] = zoe.get(f"{path}/notes", params={"search": "https://example.org/fw?x=1"}).json()["items"]
        assert hit["path"] == "setup/router.md"

        taken(admin.post(f"{vault}/lock"))
        change, any_revision = {"body_md": "# Router\n"}, {"If-Match": "*"}
        locked = zoe.patch(note, json=change, headers=any_revision)
        assert (locked.status_code, locked.json()["code"]) == (423, "vault_locked")
        taken(admin.post(f"{vault}/unlock"))
        taken(zoe.patch(note, json=change, headers=any_revision))

        taken(admin.post(f"{path}/archive"))
        archived = zoe.patch(note, json={"body_md": "more"}, headers=any_revision)
        assert (archived.status_code, archived.json()["code"]) == (409, "workspace_archived")
        stats = taken(zoe.get(f"{path}/stats"))
    assert (stats["repo_count"], stats["vault_count"], stats["note_count"]) == (1, 1, 1)
