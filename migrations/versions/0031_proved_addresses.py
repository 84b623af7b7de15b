"""E-mail addresses that the organisation vouches for, and which addresses may be matched by, from when on.

Revision: 0031
"""

from alembic import op

revision = "0031"
down_revision = "0032"
branch_labels = None
depends_on = None

# The index is over the very expression of the view, so that people are found by it.
_PROVED = "CASE WHEN email_vouched OR email_confirmed_at IS NOT NULL THEN lower(email) END"
_FROM = "CASE WHEN email_vouched THEN '-infinity'::timestamptz ELSE email_confirmed_at END"
_DIRECTORY = """
CREATE OR REPLACE VIEW identity.directory AS
SELECT id AS user_id, username, lower(email) AS email, avatar, display_name, role, time_zone, locale, suspended_at,
    reminder_time, quiet_from, quiet_to, {proved} AS proved_email, {since} AS matches_from
FROM identity.users
"""
_UP = (
    "ALTER TABLE identity.users ADD COLUMN email_vouched BOOLEAN DEFAULT false NOT NULL",
    # Accounts without a password are those that imports made. An address that was confirmed before this has had what
    # came earlier since then.
    "UPDATE identity.users SET email_vouched = true WHERE password_hash IS NULL OR email_confirmed_at IS NOT NULL",
    # The name stays, because the release before this one tells by it that an address is taken.
    "DROP INDEX identity.uq_users_email_ci",
    f"CREATE UNIQUE INDEX uq_users_email_ci ON identity.users (({_PROVED}))",
    "CREATE INDEX ix_users_email_ci ON identity.users (lower(email))",
    _DIRECTORY.format(proved=_PROVED, since=_FROM),
)
_DOWN = (
    "DROP INDEX identity.ix_users_email_ci",
    "DROP INDEX identity.uq_users_email_ci",
    # Of several accounts with one address the one that proved it, or the first, keeps it.
    """
UPDATE identity.users u SET email = 'unproved-' || u.id || '@invalid.invalid'
WHERE EXISTS (SELECT FROM identity.users o WHERE lower(o.email) = lower(u.email) AND o.id <> u.id
    AND (NOT (o.email_vouched OR o.email_confirmed_at IS NOT NULL), o.id)
    < (NOT (u.email_vouched OR u.email_confirmed_at IS NOT NULL), u.id))
""",
    "CREATE UNIQUE INDEX uq_users_email_ci ON identity.users (lower(email))",
    _DIRECTORY.format(proved="NULL::text", since="NULL::timestamptz"),
    "ALTER TABLE identity.users DROP COLUMN email_vouched",
)


def upgrade() -> None:
    """Vouch for what imports have made, and let an address that is not proved be claimed by several."""
    for statement in _UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """One account an address again; the directory keeps its columns, which older code does not ask for."""
    for statement in _DOWN:
        op.get_bind().exec_driver_sql(statement)
