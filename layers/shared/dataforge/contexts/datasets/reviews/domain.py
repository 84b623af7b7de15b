"""Review requests: a proposed merge, what people say of it, and when it may happen."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from dataforge.kernel.errors import Conflict, Forbidden, NotFound
from dataforge.kernel.texts import Text


class ReviewState(StrEnum):
    """Where a review request is."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class Verdict(StrEnum):
    """What a reviewer says of the head they saw."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"


class ReviewNotFound(NotFound):
    """The dataset has no such review request."""

    code = "review_not_found"
    title = "There is no such review request"


class ReviewEnded(Conflict):
    """The review request is merged or closed."""

    code = "review_ended"
    title = "The review request has ended"


class OwnProposal(Forbidden):
    """Nobody approves what they proposed."""

    code = "own_proposal"
    title = "You cannot approve your own proposal"


class ReviewIncomplete(Conflict):
    """Approvals are missing, changes are requested, or a check fails; `facts.missing` lists what."""

    code = "review_incomplete"
    title = "The review request cannot be merged yet"


@dataclass(frozen=True, slots=True)
class Opinion:
    """The latest verdict of one person, and the head commit it was given for."""

    user_id: UUID
    verdict: Verdict
    head_commit_id: str


@dataclass(frozen=True, slots=True)
class Review:
    """A proposal to merge `source_ref` into `target_ref`."""

    id: UUID
    author_id: UUID | None
    source_ref: str
    target_ref: str
    state: ReviewState
    title: str = ""

    def check_open(self) -> None:
        """Raise ReviewEnded when it was merged or closed."""
        if self.state is not ReviewState.OPEN:
            message = Text("The review request is {state}.", state=self.state.value)
            raise ReviewEnded(message, facts={"state": self.state.value})

    def check_may_judge(self, user_id: UUID | None, verdict: Verdict) -> None:
        """Raise ReviewEnded or OwnProposal."""
        self.check_open()
        if verdict is Verdict.APPROVED and user_id == self.author_id:
            message = Text("You proposed this; somebody else with write access must approve it.")
            raise OwnProposal(message)


def missing_for_merge(
    opinions: Iterable[Opinion], *, head: str, required_approvals: int, failed_checks: Iterable[str]
) -> list[str]:
    """What stands against merging, as sentences; empty when it may happen.

    An approval counts for the head commit it was given for; a request for changes counts until it is withdrawn.
    """
    given = list(opinions)
    approvals = sum(1 for item in given if item.verdict is Verdict.APPROVED and item.head_commit_id == head)
    missing: list[str] = []
    if approvals < required_approvals:
        missing.append(
            Text(
                "{count} more approval(s) of commit {head}",
                count=required_approvals - approvals,
                head=head,
            )
        )
    blocking = [item for item in given if item.verdict is Verdict.CHANGES_REQUESTED]
    if blocking:
        missing.append(Text("{count} reviewer(s) requested changes", count=len(blocking)))
    missing.extend(Text("the check {name!r} fails", name=name) for name in failed_checks)
    return missing
