"""Asks a remote for its refs: public hosts only, the address that was checked, bounded in time and size."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from dataforge.contexts.workspaces.remotes.domain import AllowedHosts, RemoteListing, RemoteRefused, listing_of
from dataforge.kernel.errors import Unavailable
from dataforge.kernel.texts import Text
from dataforge.platform.outgoing import AddressForbidden, Answer, NoAnswer, send_blocking

SECONDS = 20.0
MAX_LISTING_BYTES = 8 * 1024 * 1024
MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CLOSED = {
    401: Text("asks for a sign-in; only public repositories are listed"),
    403: Text("does not let us in"),
    404: Text("is not there, or is not public"),
    410: Text("is gone"),
}
# Some hosts answer git only to what calls itself so.
_HEADERS: Mapping[str, str] = {"User-Agent": "git/2.0 (DataForge)", "Accept-Encoding": "identity"}


class _Waited(Unavailable):
    """It took too long, or nobody answered."""

    code = "remote_unavailable"
    title = "The remote does not answer"


@dataclass(frozen=True, slots=True)
class RemoteClient:
    """Lists refs of remotes over https; `private` permits this machine and http, for a laptop and for tests."""

    hosts: AllowedHosts = field(default_factory=AllowedHosts)
    private: bool = False
    seconds: float = SECONDS

    async def list_refs(self, url: str) -> RemoteListing:
        """The branches and tags of a remote; raises RemoteRefused, and Unavailable for what may go better later."""
        return await asyncio.to_thread(self._list, url)

    def _list(self, url: str) -> RemoteListing:
        from dulwich.errors import GitProtocolError, HangupException, NotGitRepository

        from dataforge.contexts.workspaces.remotes.protocol import PREFIXES, GuardedGitClient

        deadline = time.monotonic() + self.seconds

        def exchange(method: str, url: str, headers: dict[str, str], body: bytes | None) -> tuple[Answer, str]:
            return self._exchange(method, url, headers, body, deadline)

        try:
            listed = GuardedGitClient(url, exchange).get_refs("", ref_prefix=PREFIXES)
        except (GitProtocolError, HangupException, NotGitRepository, ValueError, AssertionError, IndexError) as error:
            # dulwich raises the last three for packets that are none.
            message = Text("The remote answers what is no list of refs.")
            raise RemoteRefused(message) from error
        refs, symrefs = listed.refs.items(), listed.symrefs.items()
        return listing_of({bytes(name): value for name, value in refs}, {bytes(name): to for name, to in symrefs})

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> tuple[Answer, str]:
        """The answer of the last of a few redirects, each of which is checked as the first address was."""
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._send(method, url, {**headers, **_HEADERS}, body, deadline)
            if answer.status not in _REDIRECTS or method != "GET":
                _require_good(answer)
                return answer, url
            url = urljoin(url, answer.headers.get("location", ""))
        message = Text("The remote redirects more than {max_redirects} times.", max_redirects=MAX_REDIRECTS)
        raise RemoteRefused(message)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float) -> Answer:
        left = deadline - time.monotonic()
        if left <= 0:
            message = Text("The remote has taken more than {seconds:.0f} seconds.", seconds=self.seconds)
            raise _Waited(message)
        self.hosts.require(url)
        try:
            # One more than there may be, so that more than there may be is seen.
            answer = send_blocking(
                method,
                url,
                headers=headers,
                body=body,
                private=self.private,
                most_bytes=MAX_LISTING_BYTES + 1,
                seconds=left,
            )
        except AddressForbidden as error:
            message = Text("The address of the remote {error}.", error=error)
            raise RemoteRefused(message) from error
        except NoAnswer as error:
            message = Text("The remote does not answer. {error}.", error=error)
            raise _Waited(message) from error
        if len(answer.body) > MAX_LISTING_BYTES:
            message = Text(
                "The remote's list of refs has more than {max_listing_bytes:,} bytes.",
                max_listing_bytes=MAX_LISTING_BYTES,
            )
            raise RemoteRefused(message)
        return answer


def _require_good(answer: Answer) -> None:
    """Raise unless it is git's own answer: dulwich would ask on for the files of a repository without a service."""
    if answer.status == 429 or answer.status >= 500:
        message = Text("The remote answers {status}.", status=answer.status)
        raise _Waited(message)
    if answer.status != 200:
        what = _CLOSED.get(answer.status, Text("answers {status}", status=answer.status))
        message = Text("The remote {what}.", what=what)
        raise RemoteRefused(message, facts={"status": answer.status})
    if not answer.headers.get("content-type", "").startswith("application/x-git-upload-pack-"):
        message = Text("The remote does not answer as git does; give the address that `git clone` takes.")
        raise RemoteRefused(message)
