"""What people can hear of, and whether they can do without it."""

from dataclasses import dataclass
from typing import Final

from dataforge.contexts.notifications.suppressions.domain import Scope
from dataforge.kernel.errors import BadRequest
from dataforge.kernel.texts import Text


class UnknownKind(BadRequest):
    """There is no such kind of message."""

    code = "unknown_notification_kind"
    title = "There is no such kind of message"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message.

    One with a `scope` can be turned off and unsubscribed from, and waits for the end of quiet hours; one without is
    about what the person has asked for or must know, and goes at once. `template` is None where another context writes
    the mail.
    """

    name: str
    label: str
    scope: Scope | None = None
    template: str | None = None

    @property
    def optional(self) -> bool:
        """Whether people can do without it."""
        return self.scope is not None


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("lesson_reminder", Text("Lessons that are due"), Scope.REMINDER, "notifications/lesson_reminder"),
        Kind(
            "lesson_calendar",
            Text("Dates of lessons for your calendar"),
            Scope.REMINDER,
            "notifications/lesson_calendar",
        ),
        Kind("enrollment", Text("Your enrolments"), Scope.ENROLLMENT, "notifications/enrollment_changed"),
        Kind("waitlist_promotion", Text("Seats from a waitlist"), Scope.ENROLLMENT, "notifications/enrollment_changed"),
        Kind(
            "meeting_change",
            Text("Meetings that are moved or cancelled"),
            Scope.ENROLLMENT,
            "notifications/meeting_changed",
        ),
        Kind("review_request", Text("Proposals to review"), Scope.REVIEW, "notifications/review_requested"),
        Kind("review_decision", Text("What became of your proposals"), Scope.REVIEW, "notifications/review_decided"),
        Kind("import_result", Text("Imports that have ended"), Scope.IMPORT, "notifications/import_ended"),
        Kind("roster_result", Text("Rosters that were applied"), Scope.IMPORT, "notifications/roster_applied"),
        Kind("schema_deployment", Text("Deployments of schemas"), Scope.SCHEMA, "notifications/schema_deployed"),
        Kind(
            "schema_drift",
            Text("Changes of schemas without a deployment"),
            Scope.SCHEMA,
            "notifications/schema_drifted",
        ),
        Kind(
            "webhook_disabled", Text("Webhooks that were switched off"), Scope.WEBHOOK, "notifications/webhook_disabled"
        ),
        Kind("workspace_invitation", Text("Invitations to workspaces")),
        Kind("account_invitation", Text("Invitations to DataForge")),
        Kind("account_claim", Text("Accounts that were made for you")),
        Kind("password_reset", Text("Links that set a password")),
        Kind("password_change", Text("Changes of your password")),
        Kind("second_factor_added", Text("Codes that your sign-in needs")),
        Kind("second_factor_removed", Text("Codes that your sign-in no longer needs")),
        Kind("email_confirmation", Text("Confirming your e-mail address")),
        Kind("email_change", Text("Changes of your e-mail address")),
        Kind("token_created", Text("New access tokens")),
        Kind("token_expiry", Text("Access tokens that end soon")),
        Kind("personal_export", Text("Exports of your data")),
    )
}


def kind_named(name: str) -> Kind:
    """The kind; raises UnknownKind."""
    if name not in KINDS:
        message = Text(
            "There is no kind of message {name!r}. Known: {kinds}.", name=name, kinds=", ".join(sorted(KINDS))
        )
        raise UnknownKind(message)
    return KINDS[name]
