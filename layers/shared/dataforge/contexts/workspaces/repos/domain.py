"""Repos: how many there may be, and what the address of a remote looks like."""

import re
from urllib.parse import urlsplit

from dataforge.kernel.errors import Conflict, NotFound
from dataforge.kernel.texts import Text

MAX_REPOS = 100  # of one workspace
HIDDEN = frozenset({"webhook_secret"})  # columns that nobody is shown
_SCHEMES = frozenset({"http", "https", "git", "ssh"})
# As scp and git write it: user@host:path, or host.name:path, so that other schemes (javascript:) and drives are none;
# and no host is an option (-oProxyCommand).
_SCP = re.compile(
    r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]+|[A-Za-z0-9][A-Za-z0-9-]*\.[A-Za-z0-9.-]+):(?!//)[^\s:][^\s]*"
)
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\]")
MAX_REMOTE = 2048
_OTHER_KIND = Text("must be an http, https, git or ssh address, or user@host:path")


class RepoNotFound(NotFound):
    """The workspace has no such repo."""

    code = "repo_not_found"
    title = "There is no such repo"


class RepoLimitExceeded(Conflict):
    """The workspace has as many repos as one may have."""

    code = "repo_limit_exceeded"
    title = "Too many repos"


def require_repo_room(repos: int) -> None:
    """Raise RepoLimitExceeded for a workspace that is full."""
    if repos >= MAX_REPOS:
        message = Text("A workspace has at most {max_repos} repos; delete one first.", max_repos=MAX_REPOS)
        raise RepoLimitExceeded(message, facts={"limit": MAX_REPOS})


def remote_mistake(url: str) -> str | None:
    """What is wrong with the address of a remote; None for a good one: http(s), git, ssh, or scp's user@host:path."""
    if len(url) > MAX_REMOTE or not url.isprintable() or " " in url:
        return Text("must be an address of at most {max_remote:,} characters without spaces", max_remote=MAX_REMOTE)
    if "://" not in url:
        return None if _SCP.fullmatch(url) else _OTHER_KIND
    return _mistake_in_address(url)


def _mistake_in_address(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return Text("has a host or port that cannot be read")
    if parts.scheme not in _SCHEMES:
        return _OTHER_KIND
    if not host or not _HOST.fullmatch(f"[{host}]" if ":" in host else host):
        return Text("has no host")
    if parts.password is not None or (parts.username and parts.scheme in ("http", "https")):
        return Text("must not carry a password or token")
    return None if parts.path.strip("/") else Text("has no path")
