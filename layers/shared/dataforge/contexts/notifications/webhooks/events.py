"""Which events are published, and what of each: ids, codes, numbers and states, and never what people have written.

An event of a contract is in `PUBLISHED` or, with the reason, in `INTERNAL` (tests/architecture/test_published_events.py
looks). What is shown of one is listed by name, so that a field that is added to an event is shown to nobody before
somebody has decided it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Literal, get_type_hints
from uuid import UUID

from dataforge.contexts.academics.contract import EnrollmentChanged, MeetingChanged, PromotionDue, RosterApplied
from dataforge.contexts.datasets.contract import BranchMoved, DatasetImportEnded, ReviewDecided, ReviewRequested
from dataforge.contexts.identity.contract import (
    AccountClaimRequested,
    AccountInvitationSent,
    AccountsMerged,
    EmailChangeRequested,
    EmailConfirmationRequested,
    EmailConfirmed,
    PasswordChanged,
    PasswordResetRequested,
    PersonalExportEnded,
    SecondFactorAdded,
    SecondFactorRemoved,
    TokenCreated,
    TokenExpires,
    XapiCredentialChanged,
)
from dataforge.contexts.learning.contract import LessonCompleted
from dataforge.contexts.lrs.contract import StatementImportEnded, SubscriptionDisabled
from dataforge.contexts.notifications.contract import WebhookDisabled
from dataforge.contexts.schemas.contract import SchemaDeploymentEnded, SchemaDrifted
from dataforge.contexts.tutorials.contract import TranscriptDeleted
from dataforge.contexts.workspaces.contract import InvitationSent, WorkspaceDeleted, WorkspaceHidden
from dataforge.kernel.events import Event, members

# Exact numbers are written as JSON's.
_SHOWN_AS: Final[Mapping[Any, Any]] = {Decimal: float, Decimal | None: float | None}
_NUMBERS: Final = (float, float | None)
TEST: Final = "webhooks.test"
"""The type of a test delivery, which is no event: its data have the id of the webhook."""
TEST_IS: Final = "A test that somebody asked for; it comes whatever types a webhook hears of."


class EventScope(StrEnum):
    """Who can hear of an event: webhooks of its workspace too, or those of the organisation alone."""

    WORKSPACE = "workspace"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """What is said of an event: `shown` are its members, `derived` are those that are made of others."""

    event: type[Event]
    description: str
    shown: tuple[str, ...]
    derived: Mapping[str, tuple[type, Callable[[Any], object]]]

    @property
    def type(self) -> str:
        """The `type` of deliveries."""
        return self.event.name

    @property
    def scope(self) -> EventScope:
        """Who can hear of it."""
        named = {item.name for item in fields(self.event)}
        return EventScope.WORKSPACE if "workspace_id" in named else EventScope.ORGANISATION

    def workspace_of(self, event: Event) -> UUID | None:
        """The workspace that it happened in; None in none."""
        return getattr(event, "workspace_id", None)

    def data_of(self, event: Event) -> dict[str, Any]:
        """What is said of one, as JSON-able values: numbers are numbers, times have an offset."""
        payload = event.payload()
        data = {name: payload[name] for name in self.shown}
        for name, (kind, _) in self._members().items():
            if kind in _NUMBERS and data[name] is not None:
                data[name] = float(str(data[name]))
        return data | {name: make(event) for name, (_, make) in self.derived.items()}

    def schema(self) -> dict[str, Any]:
        """The JSON Schema (draft 2020-12) of the body of a delivery."""
        from pydantic import create_model

        made_of: Any = create_model
        data = made_of(
            "Data",
            **{name: (kind, ...) for name, (kind, _) in self._members().items()},
            **{name: (kind, ...) for name, (kind, _) in self.derived.items()},
        )
        return _body_schema(self.type, self.description, data)

    def _members(self) -> dict[str, tuple[Any, str]]:
        """Types of what is shown, and the fields that hold it."""
        hints, holders = get_type_hints(self.event), members(self.event)
        return {name: (_shown_as(hints[holders[name]]), holders[name]) for name in self.shown}


def schema_of_test() -> dict[str, Any]:
    """The JSON Schema of the body of a test."""
    from pydantic import create_model

    return _body_schema(TEST, TEST_IS, create_model("Data", webhook_id=(UUID, ...)))


def _shown_as(kind: Any) -> Any:  # noqa: ANN401 - a type as annotations have it
    return _SHOWN_AS.get(kind, kind)


def _body_schema(event_type: str, description: str, data: Any) -> dict[str, Any]:  # noqa: ANN401 - a model made here
    from datetime import datetime

    from pydantic import create_model

    made_of: Any = create_model
    body = made_of(
        "Delivery",
        type=(Literal[event_type], ...),
        timestamp=(datetime, ...),
        event_id=(UUID, ...),
        workspace_id=(UUID | None, ...),
        data=(data, ...),
    )
    schema: dict[str, Any] = body.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": event_type,
        "description": description,
    }


def _succeeded(event: Any) -> bool:  # noqa: ANN401 - any event with an error
    return event.error is None


_ENDED: Final = {"succeeded": (bool, _succeeded)}


def _published(
    event: type[Event],
    description: str,
    shown: str,
    derived: Mapping[str, tuple[type, Callable[[Any], object]]] | None = None,
) -> PublishedEvent:
    return PublishedEvent(event, description, tuple(shown.split()), derived or {})


_EVENTS: Final = (
    _published(
        EnrollmentChanged,
        "An enrolment went from one status to another; `from` is null for a new one, `wait_no` the number on the "
        "waitlist, `rule` what refused it.",
        "enrollment_id student_id user_id section_id section_code course_id course_code course_title semester_code "
        "from to wait_no rule actor_id at",
    ),
    _published(
        MeetingChanged,
        "A meeting of a section was cancelled, moved or, after that, restored (`change`), in its local times.",
        "section_id section_code course_code change held_on starts new_on new_starts new_ends",
    ),
    _published(
        RosterApplied,
        "A planned roster was carried out; `changes` counts the rows that changed something.",
        "plan_id semester_code changes applied_by",
    ),
    _published(
        DatasetImportEnded,
        "An import into a dataset has ended; its job says what was refused, and why it failed if it did.",
        "job_id dataset_id user_id rows refused",
        _ENDED,
    ),
    _published(
        BranchMoved,
        "A branch of a dataset is at another commit.",
        "dataset_id ref previous_commit_id commit_id",
    ),
    _published(
        ReviewRequested,
        "Somebody proposes to merge a branch of a dataset; `reviewers` may approve it.",
        "dataset_id dataset_name number source_ref target_ref author_id reviewers",
    ),
    _published(
        ReviewDecided,
        "What became of a proposal: approved, changes_requested, merged or closed, and by whom.",
        "dataset_id dataset_name number decision author_id by",
    ),
    _published(
        LessonCompleted,
        "A known person has completed a known lesson; `score` is the scaled score (-1 to 1) if the statement had one.",
        "user_id lesson_id section_id statement_id score occurred_at",
    ),
    _published(
        StatementImportEnded,
        "An import of statements has ended; its job says what was refused, and why it failed if it did.",
        "job_id user_id new known refused",
        _ENDED,
    ),
    _published(
        SubscriptionDisabled,
        "A subscription of statements was switched off because nothing could be delivered.",
        "subscription_id subscription_name",
    ),
    _published(
        SchemaDeploymentEnded,
        "A deployment of a schema has ended, as `revision` if it succeeded.",
        "deployment_id namespace revision created_by",
        _ENDED,
    ),
    _published(
        SchemaDrifted,
        "The schema of a workspace is not as it was deployed last.",
        "namespace revision fingerprint",
    ),
    _published(TranscriptDeleted, "A transcript was deleted.", "transcript_id"),
    _published(
        InvitationSent,
        "Somebody is invited into a workspace, for the first time or again.",
        "invitation_id sendings",
    ),
    _published(WorkspaceHidden, "A workspace was deleted, but not for good, or it was restored.", ""),
    _published(WorkspaceDeleted, "A workspace was deleted for good.", ""),
    _published(
        WebhookDisabled,
        "A webhook was switched off because nothing could be delivered.",
        "webhook_id webhook_name",
    ),
    _published(XapiCredentialChanged, "An xAPI credential was made, changed or revoked.", "key_id"),
    _published(PasswordChanged, "A person has another password.", "user_id"),
    _published(SecondFactorAdded, "Sign-ins of a person need a code from now on.", "user_id"),
    _published(SecondFactorRemoved, "Sign-ins of a person need the password only from now on.", "user_id"),
    _published(EmailConfirmationRequested, "A person is to prove that an address is theirs.", "user_id"),
    _published(EmailChangeRequested, "The confirmed address of a person is to be replaced.", "user_id"),
    _published(EmailConfirmed, "A person has proved that an address is theirs.", "user_id"),
    _published(
        AccountInvitationSent,
        "Somebody is invited into the organisation, for the first time or again.",
        "invitation_id sendings",
    ),
    _published(TokenCreated, "A personal access token was made.", "user_id token_id"),
    _published(TokenExpires, "A personal access token ends within a week.", "user_id token_id"),
    _published(PersonalExportEnded, "All that is held about a person is in one file.", "job_id user_id asked_by"),
    _published(AccountClaimRequested, "A person is to take over the account that an import made.", "user_id"),
    _published(AccountsMerged, "Two accounts of one person became one, `kept`; it comes twice.", "kept merged"),
)
PUBLISHED: Final[Mapping[type[Event], PublishedEvent]] = {item.event: item for item in _EVENTS}
"""What is published of each event."""
TYPES: Final[Mapping[str, PublishedEvent]] = {item.type: item for item in _EVENTS}
"""The same by type."""
INTERNAL: Final[Mapping[type[Event], str]] = {
    PromotionDue: "A step of the waitlist: what comes of it is academics.enrollment_changed.",
    PasswordResetRequested: "It holds an address that anybody may have typed, and nothing else.",
}
"""Events that no webhook hears of, and why."""
