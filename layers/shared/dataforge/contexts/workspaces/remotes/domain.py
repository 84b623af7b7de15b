"""Which remote repositories are asked for their branches and tags, and what is made of the answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from dataforge.kernel.errors import BadRequest, Conflict
from dataforge.kernel.texts import Text

KIND = "refresh_repo"
MAX_REFS = 10_000  # of one repo
MAX_REF_NAME = 500
BRANCHES, TAGS = "refs/heads/", "refs/tags/"
_PEELED = "^{}"
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")  # SHA-1, and SHA-256 of repositories that use it
# What git itself allows in a name (git-check-ref-format), as far as it matters to those who show it.
_NAME = re.compile(r"refs/(?:heads|tags)/[^\x00-\x20\x7f~^:?*\[\\]+")


class RemoteNotListable(Conflict):
    """The repo has no remote whose refs can be listed: an https address of a host that is asked."""

    code = "remote_not_listable"
    title = "The remote cannot be asked"


class RemoteRefused(BadRequest):
    """The remote, or what it redirects to, is none that is asked, or it answers what is no list of refs."""

    code = "remote_refused"
    title = "The remote gives no list of its branches and tags"


class RefKind(StrEnum):
    """What a ref is."""

    BRANCH = "branch"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class RepoRef:
    """A branch or tag by its full name; `hash` is what it names, `commit_hash` the commit of an annotated tag.

    The commit is None where a webhook named the ref and did not say.
    """

    name: str
    hash: str
    commit_hash: str | None

    @property
    def kind(self) -> RefKind:
        """Whether it is a branch or a tag."""
        return kind_of(self.name)


@dataclass(frozen=True, slots=True)
class RemoteListing:
    """What a remote has: branches, then tags, by name; `truncated` if it has more than are kept."""

    refs: tuple[RepoRef, ...]
    default_branch: str | None
    truncated: bool


def kind_of(name: str) -> RefKind:
    """Whether a full name is that of a branch or of a tag."""
    return RefKind.BRANCH if name.startswith(BRANCHES) else RefKind.TAG


def is_ref_name(name: str) -> bool:
    """Whether it is the full name of a branch or tag that is kept."""
    return len(name) <= MAX_REF_NAME and _NAME.fullmatch(name) is not None


def is_hash(text: str) -> bool:
    """Whether it is the hash of an object: 40 or 64 hexadecimal digits."""
    return _HASH.fullmatch(text) is not None


def listing_of(refs: Mapping[bytes, bytes | None], symrefs: Mapping[bytes, bytes]) -> RemoteListing:
    """What is kept of a list of refs: branches and tags with names that are shown, tags with the commits they lead to.

    Everything else that a server lists (requests to merge, notes) is passed over.
    """
    named = {_text(name): _text(value) for name, value in refs.items() if value is not None}
    kept = [
        RepoRef(name, value, named.get(name + _PEELED, value))
        for name, value in named.items()
        if is_ref_name(name) and is_hash(value) and is_hash(named.get(name + _PEELED, value))
    ]
    default = _default_branch(symrefs)
    # The default branch is kept whatever else is left out.
    kept.sort(key=lambda ref: (ref.name != f"{BRANCHES}{default}", ref.kind is RefKind.TAG, ref.name))
    chosen = sorted(kept[:MAX_REFS], key=lambda ref: (ref.kind is RefKind.TAG, ref.name))
    return RemoteListing(tuple(chosen), default, len(kept) > MAX_REFS)


def _default_branch(symrefs: Mapping[bytes, bytes]) -> str | None:
    target = _text(symrefs.get(b"HEAD", b""))
    return target.removeprefix(BRANCHES) if target.startswith(BRANCHES) and is_ref_name(target) else None


def _text(name: bytes) -> str:
    """The name as text; one that is not UTF-8 becomes one that `is_ref_name` refuses."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return ""


def require_listable(remote_url: str | None) -> str:
    """The address that refs are listed from; raises RemoteNotListable for a repo without one by https."""
    if remote_url is None:
        message = Text("The repo has no remote; give it one first.")
        raise RemoteNotListable(message)
    if urlsplit(remote_url).scheme != "https":
        message = Text("Only remotes with an https address are asked for their branches and tags.")
        raise RemoteNotListable(message)
    return remote_url


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Which hosts are asked: those that are named (`git.example.org`, `git.example.org:8443`); with none, any.

    Whether a host's addresses are public ones is another question, and asked of all (`platform.outgoing`).
    """

    named: frozenset[str] = frozenset()
    any_port: bool = False  # of any host; for a laptop

    def require(self, url: str) -> None:
        """Raise RemoteRefused for an address of a host, or of a port, that is not asked."""
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port or 443
        if f"{host}:{port}" in self.named or (port == 443 and host in self.named):
            return
        if not self.named and (port == 443 or self.any_port):
            return
        message = Text(
            "{host}:{port} is no host that is asked; an operator can add it to GIT_ALLOWED_HOSTS.", host=host, port=port
        )
        raise RemoteRefused(message)
