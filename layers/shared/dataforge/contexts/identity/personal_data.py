"""What identity holds about people: the account, and all by which it is signed in to."""

from typing import TYPE_CHECKING

from dataforge.contexts.identity.data_requests.domain import PREFIX
from dataforge.platform.personal_data import Holding, NotCovered, Person, PersonalData

if TYPE_CHECKING:
    from dataforge.contexts.identity.services import IdentityServices

_RANDOM = "left(replace(CAST(gen_random_uuid() AS text), '-', ''), 16)"
_TOMBSTONE = (
    f"username = 'erased_' || {_RANDOM}, email = {_RANDOM} || '@erased.invalid', avatar = 'erased-' || {_RANDOM}, "
    "display_name = 'Erased', password_hash = NULL, github_id = NULL, soeid = NULL, role = 'viewer', "
    "preferences = '{}', time_zone = 'UTC', locale = 'en', reminder_time = '09:00', quiet_from = NULL, "
    "quiet_to = NULL, email_confirmed_at = NULL, email_vouched = false, new_email = NULL, "
    "suspended_at = coalesce(suspended_at, now()), erased_at = coalesce(erased_at, now()), "
    "revision = revision + 1, updated_at = now()"
)


def personal_data() -> "PersonalData[IdentityServices]":
    """The account becomes one that tells nothing, so that what names its id still names something."""
    return PersonalData(
        holdings=(
            Holding(
                table="identity.refresh_tokens",
                name="sign_ins",
                refers="user_id device",
                exported="created_at, began_at, last_used_at, expires_at, revoked_at, device",
                deleted=True,
                stable=False,
            ),
            Holding(
                table="identity.mailed_links",
                refers="user_id email other_email",
                whose="user_id = :user_id OR lower(email) = ANY(CAST(:emails AS text[]))",
                exported="created_at, purpose, email, expires_at, used_at",
                deleted=True,
                stable=False,
            ),
            Holding(
                table="identity.second_factors",
                refers="user_id",
                exported="created_at, confirmed_at",
                deleted=True,
                stable=False,
            ),
            Holding(
                table="identity.recovery_codes",
                refers="user_id",
                exported="created_at",
                deleted=True,
                stable=False,
            ),
            Holding(
                table="identity.sign_in_challenges",
                refers="user_id",
                exported="created_at, expires_at",
                deleted=True,
                stable=False,
            ),
            Holding(
                table="identity.personal_tokens",
                refers="user_id",
                exported="created_at, name, scopes, expires_at, last_used_at, revoked_at",
                deleted=True,
            ),
            Holding(
                table="identity.linked_identities",
                # Deleted, so that nobody signs in at a provider to the account that is left.
                refers="user_id subject label",
                exported="linked_at, issuer, subject, label, last_used_at",
                deleted=True,
            ),
            Holding(
                table="identity.invitations",
                refers="email accepted_by",
                whose="accepted_by = :user_id OR lower(email) = ANY(CAST(:emails AS text[]))",
                exported="sent_at, email, role, expires_at, accepted_at, revoked_at",
                deleted=True,
            ),
            Holding(
                table="identity.invitations",
                name="sent_invitations",
                refers="invited_by",
                whose="invited_by = :user_id",
                kept="Who invited stays, with the id of an account that tells nothing any more.",
                stable=False,
            ),
            Holding(
                table="identity.account_merges",
                refers="kept_id merged_id",
                whose="kept_id = :user_id",
                exported="merged_at, merged_id",
                deleted=True,
            ),
            Holding(
                table="identity.xapi_credentials",
                refers="created_by",
                whose="created_by = :user_id",
                exported="created_at, key_id, name",
                kept="A key is the organisation's; who made it stays, with the id of an account that tells nothing.",
                stable=False,
            ),
            Holding(
                table="identity.users",
                name="account",
                refers="id username email avatar display_name new_email github_id soeid",
                whose="id = :user_id",
                exported=(
                    "id, username, email, new_email, email_confirmed_at, avatar, display_name, github_id, soeid, role, "
                    "preferences, time_zone, locale, reminder_time, quiet_from, quiet_to, created_at, updated_at"
                ),
                rewritten=_TOMBSTONE,
            ),
        ),
        released=_delete_exports,
        not_covered=(
            NotCovered(
                "The Agent that an administrator has entered as the authority of an xAPI key",
                "GET /api/xapi-credentials names it.",
            ),
            NotCovered(
                "Large lists with the person in them that somebody has saved as CSV",
                "They are under lists/ of the bucket for a day, and go by themselves.",
            ),
        ),
    )


async def _delete_exports(person: Person, services: "IdentityServices") -> None:
    objects, prefix = services.platform.objects, f"{PREFIX}{person.user_id}/"
    while found := await objects.oldest(prefix, limit=1000):
        await objects.delete([item.key for item in found])
