"""Names, remotes, roles, states and limits."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.workspaces.names import name_mistake, path_mistake
from dataforge.contexts.workspaces.repos.domain import RepoLimitExceeded, remote_mistake, require_repo_room
from dataforge.contexts.workspaces.vaults.domain import Vault, VaultLimitExceeded, VaultLocked, require_vault_room
from dataforge.contexts.workspaces.workspaces.domain import (
    Workspace,
    WorkspaceArchived,
    WorkspaceDeletionNotAllowed,
    WorkspaceLimitExceeded,
    WorkspaceNotOwned,
    WorkspaceRoleMissing,
    require_room,
)
from dataforge.kernel.access import Action, Kind, MemberRole

NOW = datetime(2026, 10, 1, tzinfo=UTC)
ROLES = st.sampled_from(MemberRole)


def workspace(role: MemberRole, *, archived: bool = False) -> Workspace:
    return Workspace(UUID(int=1), "Acme", UUID(int=2), role, NOW if archived else None)


@given(st.text(min_size=1, max_size=300))
def test_a_name_that_is_taken_makes_a_file_on_every_system(name: str) -> None:
    if name_mistake(name) is None:
        assert not set(name) & set('/\\<>:"|?*\0')
        assert name not in (".", "..")
        assert name == name.strip()
        assert len(name) <= 255


@pytest.mark.parametrize("name", ["Handbook", "Büro 2026", ".obsidian", "a-b_c (1)", "日本語"])
def test_a_usual_name_is_taken(name: str) -> None:
    assert name_mistake(name) is None


@pytest.mark.parametrize(
    ("path", "good"), [("notes/a", True), ("/srv/notes", True), ("a/../b", False), ("..\\b", False)]
)
def test_a_path_leads_nowhere_above(path: str, good: bool) -> None:
    assert (path_mistake(path) is None) is good


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/site.git",
        "http://git.local:8080/x",
        "git://example.org/x.git",
        "ssh://git@example.org:2222/acme/x.git",
        "git@github.com:acme/site.git",
        "example.org:acme/site.git",
        "https://[2001:db8::1]/x.git",
    ],
)
def test_a_usual_remote_is_taken(url: str) -> None:
    assert remote_mistake(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "site",
        "file:///etc/passwd",
        "ftp://example.org/x",
        "javascript:alert(1)//x",
        "https://",
        "https://example.org",
        "https://user:secret@example.org/x",
        "https://ghp_token@example.org/x",
        "ssh://-oProxyCommand=x/y",
        "-oProxyCommand=evil:x",
        "https://example.org/x y",
        "https://example.org:99999/x",
        "https://example.org/x\n",
        "C:\\code\\site",
        "https://example.org/" + "x" * 2048,
    ],
)
def test_what_is_no_remote_is_refused(url: str) -> None:
    assert remote_mistake(url) is not None


ASKING = {MemberRole.OWNER: Action.ARCHIVE, MemberRole.ADMIN: Action.CHANGE, MemberRole.VIEWER: Action.READ}


@given(ROLES, st.sampled_from(sorted(ASKING)))
def test_a_role_may_do_what_those_below_it_may(role: MemberRole, needed: MemberRole) -> None:
    order = list(MemberRole)
    try:
        workspace(role).require(ASKING[needed], Kind.WORKSPACE)
    except WorkspaceNotOwned:
        assert needed is MemberRole.OWNER is not role
    except WorkspaceRoleMissing:
        assert order.index(role) > order.index(needed)
    else:
        assert order.index(role) <= order.index(needed)


@given(ROLES)
def test_an_archived_workspace_is_read_only_for_everybody(role: MemberRole) -> None:
    with pytest.raises((WorkspaceArchived, WorkspaceRoleMissing)):
        workspace(role, archived=True).require_writable(Action.CREATE, Kind.REPO)


def test_only_an_archived_workspace_of_ones_own_is_deleted() -> None:
    with pytest.raises(WorkspaceDeletionNotAllowed):
        workspace(MemberRole.OWNER).require_deletable()
    with pytest.raises(WorkspaceNotOwned):
        workspace(MemberRole.ADMIN, archived=True).require_deletable()
    workspace(MemberRole.OWNER, archived=True).require_deletable()


@given(st.booleans(), st.booleans(), ROLES)
def test_a_locked_vault_is_written_by_nobody(locked: bool, archived: bool, role: MemberRole) -> None:
    vault = Vault(UUID(int=3), workspace(role, archived=archived), "Handbook", NOW if locked else None, 1)
    try:
        vault.require_unlocked(Action.CHANGE)
    except WorkspaceRoleMissing:
        assert role is MemberRole.VIEWER
    except WorkspaceArchived:
        assert archived
    except VaultLocked:
        assert locked
    else:
        assert not locked
        assert not archived


@pytest.mark.parametrize(
    ("check", "limit", "error"),
    [
        (require_room, 50, WorkspaceLimitExceeded),
        (require_repo_room, 100, RepoLimitExceeded),
        (require_vault_room, 20, VaultLimitExceeded),
    ],
)
def test_a_limit_is_reached_and_not_exceeded(check: object, limit: int, error: type[Exception]) -> None:
    assert callable(check)
    check(limit - 1)
    with pytest.raises(error):
        check(limit)
