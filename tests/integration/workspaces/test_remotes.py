"""Asking remotes for their refs: git's own server over TLS, redirects, names that change, answers that do not end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataforge.contexts.workspaces.remotes import client as client_module
from dataforge.contexts.workspaces.remotes.client import MAX_REDIRECTS, RemoteClient
from dataforge.contexts.workspaces.remotes.domain import AllowedHosts, RemoteListing, RemoteRefused, RepoRef
from dataforge.kernel.errors import Unavailable
from tests.builders.git_server import GitHost, GitRepository
from tests.builders.tls import Resolver, certificate_for, trust

NAME = "git.test"
# This machine is permitted; everything else that is private is refused as everywhere.
ANYWHERE = AllowedHosts(any_port=True)
ASKING = RemoteClient(ANYWHERE, private=True)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_for(NAME, tmp_path_factory.mktemp("tls"))


@pytest.fixture
def resolver(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Resolver:
    trust(certificate, monkeypatch)
    return Resolver(monkeypatch)


@pytest.fixture(params=[True, False], ids=["v2", "v0"])
def host(request: pytest.FixtureRequest, certificate: Path, resolver: Resolver, tmp_path: Path) -> Iterator[GitHost]:
    """A host that speaks git's protocol in version 2, or only the oldest one."""
    with GitHost(tmp_path, certificate, v2=request.param) as host:
        yield host


def filled(host: GitHost) -> tuple[str, str, str]:
    """A repository with two branches and two tags: the hashes of the branches and of the annotated tag."""
    repository = GitRepository(host.root / "site.git")
    main, other = repository.commit(), repository.commit("feature/x")
    repository.git("tag", "light", main)
    repository.git("tag", "-a", "v1", "-m", "The first", main)
    repository.git("update-ref", "refs/pull/1/head", other)
    return main, other, repository.git("rev-parse", "refs/tags/v1")


async def test_branches_and_tags_are_listed_and_annotated_tags_lead_to_commits(host: GitHost) -> None:
    main, other, tag = filled(host)

    listing = await ASKING.list_refs(host.url("/site.git"))

    assert listing == RemoteListing(
        (
            RepoRef("refs/heads/feature/x", other, other),
            RepoRef("refs/heads/main", main, main),
            RepoRef("refs/tags/light", main, main),
            RepoRef("refs/tags/v1", tag, main),
        ),
        "main",
        truncated=False,
    )


async def test_an_empty_repository_lists_nothing(host: GitHost) -> None:
    GitRepository(host.root / "empty.git")

    listing = await ASKING.list_refs(host.url("/empty.git"))

    assert (listing.refs, listing.truncated) == ((), False)


async def test_a_redirect_to_the_repository_is_followed(host: GitHost) -> None:
    main, _, _ = filled(host)
    host.answers["/old/info/refs"] = (301, {"Location": "/site.git/info/refs?service=git-upload-pack"}, b"")

    listing = await ASKING.list_refs(host.url("/old"))

    assert RepoRef("refs/heads/main", main, main) in listing.refs


async def test_redirects_end(host: GitHost) -> None:
    host.answers["/round/info/refs"] = (302, {"Location": "/round/info/refs?service=git-upload-pack"}, b"")

    with pytest.raises(RemoteRefused, match="redirects more than"):
        await ASKING.list_refs(host.url("/round"))
    assert len(host.requests) == MAX_REDIRECTS + 1


@pytest.mark.parametrize(
    "location",
    [
        "https://169.254.169.254/latest/meta-data?service=git-upload-pack",
        "https://[::ffff:10.0.0.1]/x/info/refs?service=git-upload-pack",
        "https://inside.test/x/info/refs?service=git-upload-pack",
        "file:///etc/passwd",
        "https://user:secret@git.test/x",
    ],
)
async def test_a_redirect_inside_is_refused_as_the_address_itself_would_be(
    location: str, host: GitHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    Resolver(monkeypatch, inside_test=["10.1.2.3"])
    host.answers["/away/info/refs"] = (302, {"Location": location}, b"")

    with pytest.raises(RemoteRefused, match="address of the remote"):
        await ASKING.list_refs(host.url("/away"))
    assert len(host.requests) == 1


async def test_a_second_answer_of_the_resolver_is_never_asked_for(
    host: GitHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(host)
    # Whoever resolved again between check and connection would go elsewhere.
    resolver = Resolver(monkeypatch, git_test=["127.0.0.1", "10.0.0.1"])
    host.answers["/site.git/info/refs"] = (200, {"Content-Type": "text/html"}, b"")

    with pytest.raises(RemoteRefused, match="as git does"):
        await ASKING.list_refs(host.url("/site.git"))
    assert (resolver.asked, len(host.requests)) == ([NAME], 1)


async def test_a_name_that_has_moved_inside_by_the_next_request_is_refused(
    certificate: Path, resolver: Resolver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Resolver(monkeypatch, git_test=["127.0.0.1", "10.0.0.1"])
    with GitHost(tmp_path, certificate, v2=True) as host:
        filled(host)

        with pytest.raises(RemoteRefused, match=r"leads to 10\.0\.0\.1"):
            await ASKING.list_refs(host.url("/site.git"))

    assert [request.split()[0] for request in host.requests] == ["GET"]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "64:ff9b::a00:1"])
async def test_without_permission_this_machine_is_inside_too(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Resolver(monkeypatch, git_test=[address])

    with pytest.raises(RemoteRefused, match="no public address"):
        await RemoteClient().list_refs("https://git.test/site.git")


async def test_the_proxy_of_the_environment_is_not_used(host: GitHost, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(host)
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert (await ASKING.list_refs(host.url("/site.git"))).default_branch == "main"


async def test_a_certificate_of_another_name_is_refused(host: GitHost) -> None:
    filled(host)
    host.name = "other.test"

    with pytest.raises(Unavailable, match="TLS failed"):
        await ASKING.list_refs(host.url("/site.git"))


@pytest.mark.parametrize(
    ("status", "refused"), [(401, True), (403, True), (404, True), (410, True), (418, True), (429, False), (503, False)]
)
async def test_a_refusal_is_final_and_trouble_is_not(status: int, refused: bool, host: GitHost) -> None:
    host.answers["/site.git/info/refs"] = (status, {}, b"")

    with pytest.raises(RemoteRefused if refused else Unavailable):
        await ASKING.list_refs(host.url("/site.git"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"0000",
        b"zzzz",
        b"001e# service=git-upload-pack\n0000",
        b"001e# service=git-upload-pack\n0000000dnonsense\n",
        b"001e# service=git-upload-pack\n0000" + b"0008\xff\xff\xff\xff",
        b"0010ERR no such\n",
        b"ffff",
    ],
)
async def test_what_is_no_list_of_refs_is_refused_or_empty(body: bytes, host: GitHost) -> None:
    media_type = "application/x-git-upload-pack-advertisement"
    host.answers["/site.git/info/refs"] = (200, {"Content-Type": media_type}, body)

    try:
        listing = await ASKING.list_refs(host.url("/site.git"))
    except RemoteRefused:
        return
    assert listing.refs == ()


async def test_a_list_that_is_too_long_is_refused(host: GitHost, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(host)
    monkeypatch.setattr(client_module, "MAX_LISTING_BYTES", 20)

    with pytest.raises(RemoteRefused, match="more than 20 bytes"):
        await ASKING.list_refs(host.url("/site.git"))


async def test_only_named_hosts_are_asked_where_some_are(host: GitHost) -> None:
    filled(host)
    named = RemoteClient(AllowedHosts(frozenset({f"{NAME}:{host.port}"})), private=True)
    others = RemoteClient(AllowedHosts(frozenset({"git.example.org"})), private=True)

    assert (await named.list_refs(host.url("/site.git"))).default_branch == "main"
    with pytest.raises(RemoteRefused, match="GIT_ALLOWED_HOSTS"):
        await others.list_refs(host.url("/site.git"))


async def test_a_redirect_to_a_host_that_is_not_named_is_refused(host: GitHost) -> None:
    host.answers["/away/info/refs"] = (302, {"Location": f"https://other.test:{host.port}/site.git/info/refs"}, b"")
    named = RemoteClient(AllowedHosts(frozenset({f"{NAME}:{host.port}"})), private=True)

    with pytest.raises(RemoteRefused, match="GIT_ALLOWED_HOSTS"):
        await named.list_refs(host.url("/away"))


async def test_the_whole_takes_a_bounded_time(host: GitHost) -> None:
    filled(host)

    with pytest.raises(Unavailable):
        await RemoteClient(ANYWHERE, private=True, seconds=0.0).list_refs(host.url("/site.git"))
    assert host.requests == []
