"""What is kept of a list of refs, and which remotes are asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.workspaces.remotes import domain
from dataforge.contexts.workspaces.remotes.domain import (
    AllowedHosts,
    RefKind,
    RemoteNotListable,
    RemoteRefused,
    RepoRef,
    is_ref_name,
    listing_of,
    require_listable,
)

A, B, C = (letter * 40 for letter in "abc")


def test_annotated_tags_lead_to_their_commits_and_other_refs_are_passed_over() -> None:
    refs = {
        b"HEAD": A.encode(),
        b"refs/heads/main": A.encode(),
        b"refs/tags/v1": B.encode(),
        b"refs/tags/v1^{}": C.encode(),
        b"refs/tags/light": A.encode(),
        b"refs/pull/1/head": B.encode(),
        b"refs/heads/caf\xc3\xa9": A.encode(),
        b"refs/heads/\xff": A.encode(),
        b"refs/heads/none": None,
    }

    listing = listing_of(refs, {b"HEAD": b"refs/heads/main"})

    assert listing.refs == (
        RepoRef("refs/heads/café", A, A),
        RepoRef("refs/heads/main", A, A),
        RepoRef("refs/tags/light", A, A),
        RepoRef("refs/tags/v1", B, C),
    )
    assert [ref.kind for ref in listing.refs] == [RefKind.BRANCH] * 2 + [RefKind.TAG] * 2
    assert (listing.default_branch, listing.truncated) == ("main", False)


def test_an_empty_repository_has_no_refs_and_maybe_a_default_branch() -> None:
    assert listing_of({b"HEAD": None}, {b"HEAD": b"refs/heads/trunk"}).default_branch == "trunk"
    assert listing_of({}, {}) == domain.RemoteListing((), None, truncated=False)


def test_of_too_many_the_branches_and_the_default_one_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "MAX_REFS", 3)
    refs: dict[bytes, bytes | None] = {
        f"refs/{kind}/{n}".encode(): A.encode() for n in range(5) for kind in ("heads", "tags")
    }
    refs[b"refs/heads/zoo"] = B.encode()

    listing = listing_of(refs, {b"HEAD": b"refs/heads/zoo"})

    assert [ref.name for ref in listing.refs] == ["refs/heads/0", "refs/heads/1", "refs/heads/zoo"]
    assert listing.truncated


@given(refs=st.dictionaries(st.binary(max_size=30), st.binary(max_size=45)), head=st.binary(max_size=30))
def test_whatever_a_server_lists_is_kept_or_passed_over(refs: dict[bytes, bytes], head: bytes) -> None:
    listing = listing_of(dict(refs), {b"HEAD": head})

    assert all(is_ref_name(ref.name) and domain.is_hash(ref.hash) for ref in listing.refs)


@pytest.mark.parametrize(
    "url", [None, "git@git.example.org:acme/site.git", "ssh://git.example.org/x", "http://git.example.org/x"]
)
def test_only_https_is_asked(url: str | None) -> None:
    with pytest.raises(RemoteNotListable):
        require_listable(url)


def test_any_host_is_asked_at_443_unless_some_are_named() -> None:
    AllowedHosts().require("https://git.example.org/acme/site.git")
    with pytest.raises(RemoteRefused):
        AllowedHosts().require("https://git.example.org:8443/acme/site.git")


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://git.example.org/x", True),
        ("https://GIT.example.org./x", True),
        ("https://git.example.org:8443/x", True),
        ("https://git.example.org:9443/x", False),
        ("https://sub.git.example.org/x", False),
        ("https://git.example.org.evil.example/x", False),
        ("https://other.example/x", False),
    ],
)
def test_where_hosts_are_named_no_other_is_asked(url: str, asked: bool) -> None:
    hosts = AllowedHosts(frozenset({"git.example.org", "git.example.org:8443"}))
    if asked:
        hosts.require(url)
        return
    with pytest.raises(RemoteRefused, match="GIT_ALLOWED_HOSTS"):
        hosts.require(url)
