"""Journey 7: a client's workspace, somebody invited into it, its repo, vault and notes, a lock, and the archive."""

import re
from collections.abc import Callable
from secrets import token_hex

import httpx
import pytest

from infra.local.mailbox import ReceivedMail
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

    def invitations() -> list[ReceivedMail]:
        mails = (mail for mail in stack.mailbox.mails() if mail.recipients == (address,))
        return [mail for mail in mails if "/ui/workspaces/accept" in mail.text]

    stack.invoke("maintenance", {"command": "tick"})
    eventually(lambda: len(invitations()) == 1, "the invitation arrives")
    [token] = re.findall(r"/ui/workspaces/accept\?token=([\w.~%-]+)", invitations()[0].text)
    account = {"username": f"zoe_{tag}", "email": address, "password": PASSWORD}
    with httpx.Client(base_url=stack.facts["api_url"], timeout=60) as zoe:
        taken(zoe.post("/api/signup", json=account), 201)
        login = {"username": account["username"], "password": PASSWORD}
        zoe.headers["Authorization"] = f"Bearer {taken(zoe.post('/api/auth/login', json=login))['access_token']}"
        assert zoe.get(path).status_code == 404
        joined = zoe.post("/api/workspace-invitations/accept", json={"token": token})
        assert (joined.status_code, taken(zoe.get(path))["role"]) == (200, "editor")

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
