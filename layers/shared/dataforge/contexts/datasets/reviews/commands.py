"""Propose, discuss, judge, close and merge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.datasets.commits.commands import PublishCommit, publish_commit
from dataforge.contexts.datasets.commits.domain import CommitTable, NewCommit, Published
from dataforge.contexts.datasets.commits.queries import resolve_version
from dataforge.contexts.datasets.contract import ReviewDecided, ReviewRequested
from dataforge.contexts.datasets.expectations.domain import CheckResult, result_json
from dataforge.contexts.datasets.refs.commands import announce_move
from dataforge.contexts.datasets.refs.domain import NotABranch, RefKind
from dataforge.contexts.datasets.reviews.domain import (
    Opinion,
    Review,
    ReviewIncomplete,
    ReviewState,
    Verdict,
    missing_for_merge,
)
from dataforge.contexts.datasets.reviews.queries import named_dataset, reviewers_of
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.kernel.errors import Forbidden, ValidationFailed, Violation
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text, joined
from dataforge.kernel.unit_of_work import AuditEntry
from versioned_tables.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class OpenReview:
    """Propose to merge one branch into another."""

    dataset_id: UUID
    title: str
    description: str
    source_ref: str
    target_ref: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A remark, on the whole or on a row."""

    dataset_id: UUID
    number: int
    body: str
    sheet: str | None = None
    row_key: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """A verdict on the present head; None withdraws it."""

    dataset_id: UUID
    number: int
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class CloseReview:
    """End without merging."""

    dataset_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class NoteChecks:
    """Results of the expectations for a pair of commits."""

    dataset_id: UUID
    number: int
    head: str
    target: str
    results: Sequence[CheckResult]


@dataclass(frozen=True, slots=True)
class MergeReview:
    """Publish the prepared merge of `head` into the target branch, which must still be at `target`.

    `tables` are those of a head that the branch is only moved forward to, with what they change in the target.
    """

    dataset_id: UUID
    number: int
    head: str
    target: str
    commit: NewCommit | None
    results: Sequence[CheckResult]
    fast_forward: bool = False
    tables: tuple[CommitTable, ...] = ()


async def open_review(command: OpenReview, uow: DatasetsUnitOfWork) -> int:
    """Its number; raises RefNotFound, NotABranch, ValidationFailed."""
    if command.source_ref == command.target_ref:
        message = Text("A branch cannot be merged into itself.")
        raise ValidationFailed(message, violations=[Violation("/source_ref", message, "same_ref")])
    # The dataset's row first, then its refs: everybody takes them in this order.
    number = await uow.datasets.next_review_number(command.dataset_id)
    for name in sorted({command.source_ref, command.target_ref}):
        ref = await uow.refs.lock(command.dataset_id, name)
        if ref.kind is not RefKind.BRANCH:
            message = Text("{name} is a tag; review requests are between branches.", name=name)
            raise NotABranch(message)
    await uow.reviews.add(
        {
            "id": uuid7(),
            "dataset_id": command.dataset_id,
            "number": number,
            "title": command.title,
            "description": command.description,
            "source_ref": command.source_ref,
            "target_ref": command.target_ref,
            "author_id": uow.principal.user_id,
        }
    )
    uow.audit(AuditEntry("opened", "dataset_review", f"{command.dataset_id}/{number}"))
    name, workspace_id = await named_dataset(uow.connection, command.dataset_id)
    uow.publish(
        ReviewRequested(
            command.dataset_id,
            name,
            number,
            command.title,
            command.source_ref,
            command.target_ref,
            uow.principal.user_id,
            tuple(await reviewers_of(uow.connection, command.dataset_id)),
            workspace_id,
        )
    )
    return number


async def _announce(dataset_id: UUID, number: int, review: Review, decision: str, uow: DatasetsUnitOfWork) -> None:
    name, workspace_id = await named_dataset(uow.connection, dataset_id)
    by = uow.principal.user_id
    uow.publish(ReviewDecided(dataset_id, name, number, review.title, decision, review.author_id, by, workspace_id))


async def comment(command: Comment, uow: DatasetsUnitOfWork) -> UUID:
    """The id of the comment; ended review requests can still be commented on. Raises ReviewNotFound."""
    review = await uow.reviews.lock(command.dataset_id, command.number)
    comment_id = uuid7()
    await uow.reviews.comment(
        {
            "id": comment_id,
            "review_id": review.id,
            "author_id": uow.principal.user_id,
            "body": command.body,
            "sheet": command.sheet,
            "row_key": None if command.row_key is None else dict(command.row_key),
        }
    )
    return comment_id


async def judge(command: Judge, uow: DatasetsUnitOfWork) -> int:
    """Note the verdict for the commit the source branch is at; raises ReviewEnded, OwnProposal."""
    review = await uow.reviews.lock(command.dataset_id, command.number)
    user_id = uow.principal.user_id
    if user_id is None:
        message = Text("A verdict is a person's.")
        raise Forbidden(message)
    if command.verdict is None:
        review.check_open()
        await uow.reviews.withdraw(review.id, user_id)
        return command.number
    review.check_may_judge(user_id, command.verdict)
    head = await resolve_version(uow.connection, command.dataset_id, review.source_ref)
    await uow.reviews.judge(review.id, Opinion(user_id, command.verdict, head))
    entity = f"{command.dataset_id}/{command.number}"
    after = {"verdict": command.verdict.value, "head_commit_id": head}
    uow.audit(AuditEntry("judged", "dataset_review", entity, after=after))
    await _announce(command.dataset_id, command.number, review, command.verdict.value, uow)
    return command.number


async def close_review(command: CloseReview, uow: DatasetsUnitOfWork) -> int:
    """End it; raises ReviewEnded."""
    review = await uow.reviews.lock(command.dataset_id, command.number)
    review.check_open()
    await uow.reviews.update(review.id, {"state": ReviewState.CLOSED.value, "ended_by": uow.principal.user_id})
    uow.audit(AuditEntry("closed", "dataset_review", f"{command.dataset_id}/{command.number}"))
    await _announce(command.dataset_id, command.number, review, "closed", uow)
    return command.number


async def note_checks(command: NoteChecks, uow: DatasetsUnitOfWork) -> None:
    """Keep the results beside the review request."""
    review = await uow.reviews.lock(command.dataset_id, command.number)
    await uow.reviews.note_checks(
        review.id, command.head, command.target, [result_json(item) for item in command.results]
    )


async def merge_review(command: MergeReview, uow: DatasetsUnitOfWork, *, objects: ObjectStore) -> Published:
    """Merge when approvals and checks allow it; raises ReviewIncomplete, ReviewEnded, RefMoved."""
    await uow.datasets.hold(command.dataset_id)
    review = await uow.reviews.lock(command.dataset_id, command.number)
    review.check_open()
    first, second = sorted((review.source_ref, review.target_ref))
    locked = {name: await uow.refs.lock(command.dataset_id, name) for name in (first, second)}
    locked[review.source_ref].check_at(command.head)
    target = locked[review.target_ref]
    missing = missing_for_merge(
        await uow.reviews.opinions(review.id),
        head=command.head,
        required_approvals=target.required_approvals if target.protected else 0,
        failed_checks=[result.name for result in command.results if result.blocks],
    )
    if missing:
        message = Text("The review request cannot be merged yet: {missing}.", missing=joined(missing, "; "))
        raise ReviewIncomplete(message, facts={"missing": missing})
    if command.fast_forward:
        target.check_at(command.target)
        await uow.refs.move(command.dataset_id, target.name, command.head)
        announce_move(target, command.dataset_id, command.head, uow)
        published = Published(target.name, target.commit_id, command.head, tables=command.tables)
    else:
        published = await publish_commit(
            PublishCommit(command.dataset_id, target.name, command.target, command.commit, reviewed=True),
            uow,
            objects=objects,
        )
    await uow.reviews.update(
        review.id,
        {
            "state": ReviewState.MERGED.value,
            "merged_commit_id": published.commit_id,
            "ended_by": uow.principal.user_id,
        },
    )
    entity = f"{command.dataset_id}/{command.number}"
    uow.audit(AuditEntry("merged", "dataset_review", entity, after={"commit_id": published.commit_id}))
    await _announce(command.dataset_id, command.number, review, "merged", uow)
    return published
