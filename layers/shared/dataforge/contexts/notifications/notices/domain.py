"""Which events become messages, to whom, and what the messages say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import time
from functools import singledispatch
from typing import Any, Final
from uuid import UUID

from dataforge.contexts.academics.contract import EnrollmentChanged, MeetingChanged, RosterApplied
from dataforge.contexts.datasets.contract import DatasetImportEnded, ReviewDecided, ReviewRequested
from dataforge.contexts.identity.contract import (
    AccountClaimRequested,
    AccountInvitationSent,
    EmailChangeRequested,
    EmailConfirmationRequested,
    PasswordChanged,
    PasswordResetRequested,
    PersonalExportEnded,
    SecondFactorAdded,
    SecondFactorRemoved,
    TokenCreated,
    TokenExpires,
)
from dataforge.contexts.lrs.contract import StatementImportEnded, SubscriptionDisabled
from dataforge.contexts.notifications.contract import WebhookDisabled
from dataforge.contexts.schemas.contract import SchemaDeploymentEnded, SchemaDrifted
from dataforge.contexts.workspaces.contract import InvitationSent
from dataforge.kernel.events import Event

# What a student hears of; a refusal was answered to whoever asked.
_HEARD = frozenset({"ENROLLED", "WAITLISTED", "DROPPED", "WITHDRAWN", "COMPLETED"})
EVENT = "event"
"""The member of a message's content that holds the event whose mail another context writes when it is sent."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that an event leads to: to a person, or to an address, or to whom its draft names.

    `people` are members of the content with ids of people, whose names are put in their places.
    """

    kind: str
    user_id: UUID | None
    content: Mapping[str, Any] = field(repr=False)
    address: str | None = field(default=None, repr=False)
    people: tuple[str, ...] = ()
    copy: int = 0
    """Tells the messages of one event to several addresses apart."""

    def dedupe_key(self, event_id: UUID) -> str:
        """The same for the same event and person, however often the event comes."""
        return f"{self.kind}:{event_id}" + (f":{self.user_id or self.copy}" if self.user_id or self.copy else "")


@singledispatch
def notices_of(_event: Event) -> Iterable[Notice]:
    """The messages that an event leads to; none for an event that nobody hears of."""
    return ()


@notices_of.register
def _(event: EnrollmentChanged) -> Iterable[Notice]:
    if event.to not in _HEARD or (event.user_id is None and not event.email):
        return ()
    content = {
        "name": event.student_name,
        "course_code": event.course_code,
        "course_title": event.course_title,
        "section_code": event.section_code,
        "before": event.from_,
        "to": event.to,
        "wait_no": event.wait_no,
        "reason": event.reason,
        "page": ("/ui/schedule",),
    }
    kind = "waitlist_promotion" if event.from_ == "WAITLISTED" and event.to != "DROPPED" else "enrollment"
    return (Notice(kind, event.user_id, content, event.email or None),)


@notices_of.register
def _(event: MeetingChanged) -> Iterable[Notice]:
    content = {
        "course_code": event.course_code,
        "course_title": event.course_title,
        "section_code": event.section_code,
        "change": event.change,
        "day": event.held_on.isoformat(),
        "starts": _clock(event.starts),
        "new_day": event.new_on and event.new_on.isoformat(),
        "new_starts": _clock(event.new_starts),
        "new_ends": _clock(event.new_ends),
        "new_room": event.new_room,
        "note": event.note,
        "page": ("/ui/schedule",),
    }
    kind = "meeting_change"
    return [
        *(Notice(kind, person, content) for person in event.people),
        *(Notice(kind, None, content, address, copy=copy) for copy, address in enumerate(event.addresses, 1)),
    ]


def _clock(moment: time | None) -> str:
    return f"{moment:%H:%M}" if moment else ""


@notices_of.register
def _(event: ReviewRequested) -> Iterable[Notice]:
    content = {
        "by": str(event.author_id),
        "title": event.title,
        "source": event.source_ref,
        "target": event.target_ref,
        "dataset": event.dataset_name,
        "page": _dataset(event.dataset_id),
    }
    asked = [person for person in event.reviewers if person != event.author_id]
    return [Notice("review_request", person, content, people=("by",)) for person in asked]


@notices_of.register
def _(event: ReviewDecided) -> Iterable[Notice]:
    if event.author_id is None or event.by == event.author_id:
        return ()
    content = {
        "by": str(event.by),
        "title": event.title,
        "decision": event.decision,
        "dataset": event.dataset_name,
        "page": _dataset(event.dataset_id),
    }
    return (Notice("review_decision", event.author_id, content, people=("by",)),)


@notices_of.register
def _(event: DatasetImportEnded) -> Iterable[Notice]:
    if event.awaited:
        return ()
    page = _dataset(event.dataset_id)
    return _import(event.user_id, event.job_id, event.file_name, event.rows, event.refused, event.error, page)


@notices_of.register
def _(event: StatementImportEnded) -> Iterable[Notice]:
    return _import(event.user_id, event.job_id, "xAPI", event.new + event.known, event.refused, event.error, ())


def _dataset(dataset_id: UUID) -> tuple[str, ...]:
    return ("/ui/datasets", str(dataset_id))


def _import(
    user_id: UUID | None, job_id: UUID, what: str, rows: int, refused: int, error: str | None, page: tuple[str, ...]
) -> Iterable[Notice]:
    if user_id is None:
        return ()
    content = {
        "what": what,
        "job": str(job_id),
        "rows": rows,
        "refused": refused,
        "succeeded": error is None,
        "error": error,
        "page": page,
    }
    return (Notice("import_result", user_id, content),)


@notices_of.register
def _(event: RosterApplied) -> Iterable[Notice]:
    if event.applied_by is None:
        return ()
    content = {"semester": event.semester_code, "rows": event.changes, "page": ()}
    return (Notice("roster_result", event.applied_by, content),)


@notices_of.register
def _(event: SchemaDeploymentEnded) -> Iterable[Notice]:
    if event.created_by is None:
        return ()
    content = {
        "schema": event.namespace,
        "deployment": str(event.deployment_id),
        "succeeded": event.error is None,
        "revision": event.revision,
        "error": event.error,
        "page": (),
    }
    return (Notice("schema_deployment", event.created_by, content),)


@notices_of.register
def _(event: SchemaDrifted) -> Iterable[Notice]:
    content = {"schema": event.namespace, "page": ("/ui/schemas", str(event.workspace_id), "drift")}
    return [Notice("schema_drift", person, content) for person in event.keepers]


@notices_of.register
def _(event: WebhookDisabled) -> Iterable[Notice]:
    page = ("/ui/webhooks", str(event.webhook_id))
    content = {"webhook": event.webhook_name, "reason": event.reason, "page": page}
    return [Notice("webhook_disabled", person, content) for person in event.keepers]


@notices_of.register
def _(event: SubscriptionDisabled) -> Iterable[Notice]:
    page = ("/ui/admin/subscriptions", str(event.subscription_id))
    content = {"webhook": event.subscription_name, "reason": event.reason, "page": page}
    return [Notice("webhook_disabled", person, content) for person in event.keepers]


_DRAFTED: Final[Mapping[type[Event], str]] = {
    InvitationSent: "workspace_invitation",
    AccountInvitationSent: "account_invitation",
    AccountClaimRequested: "account_claim",
    PasswordResetRequested: "password_reset",
    PasswordChanged: "password_change",
    SecondFactorAdded: "second_factor_added",
    SecondFactorRemoved: "second_factor_removed",
    EmailConfirmationRequested: "email_confirmation",
    EmailChangeRequested: "email_change",
    TokenCreated: "token_created",
    TokenExpires: "token_expiry",
    PersonalExportEnded: "personal_export",
}
DRAFTED_EVENTS: Final[Mapping[str, type[Event]]] = {kind: event for event, kind in _DRAFTED.items()}
"""Kinds of messages whose mails other contexts write, and the events they write them from."""


@notices_of.register(InvitationSent)
@notices_of.register(AccountInvitationSent)
@notices_of.register(AccountClaimRequested)
@notices_of.register(PasswordResetRequested)
@notices_of.register(PasswordChanged)
@notices_of.register(SecondFactorAdded)
@notices_of.register(SecondFactorRemoved)
@notices_of.register(EmailConfirmationRequested)
@notices_of.register(EmailChangeRequested)
@notices_of.register(TokenCreated)
@notices_of.register(TokenExpires)
@notices_of.register(PersonalExportEnded)
def _(event: Event) -> Iterable[Notice]:
    content = {EVENT: event.payload(), "event_id": str(event.event_id)}
    return (Notice(_DRAFTED[type(event)], None, content),)


NOTICED: Final[tuple[type[Event], ...]] = (
    EnrollmentChanged,
    MeetingChanged,
    RosterApplied,
    ReviewRequested,
    ReviewDecided,
    DatasetImportEnded,
    StatementImportEnded,
    SchemaDeploymentEnded,
    SchemaDrifted,
    WebhookDisabled,
    SubscriptionDisabled,
    *_DRAFTED,
)
"""The events that become messages."""
