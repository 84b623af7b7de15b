"""Tables of identity, in the PostgreSQL schema `identity`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    case,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

from dataforge.platform.db.metadata import metadata

SCHEMA = "identity"
_PROVED_EMAIL = """(
CASE
    WHEN email_vouched OR email_confirmed_at IS NOT NULL THEN lower(email::text)
    ELSE NULL::text
END)"""

users = Table(
    "users",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("username", String(255), nullable=False),
    Column("email", String(255), nullable=False),
    Column("avatar", String(64), nullable=False, unique=True),
    Column("display_name", String(255), nullable=False),
    Column("password_hash", Text),
    Column("github_id", BigInteger, unique=True),
    Column("soeid", String(20), unique=True),
    Column("role", String(20), nullable=False),
    Column("preferences", JSONB, nullable=False, server_default=text("'{}'")),
    Column("time_zone", String(64), nullable=False, server_default=text("'UTC'")),
    Column("locale", String(35), nullable=False, server_default=text("'en'")),
    Column("reminder_time", Time, nullable=False, server_default=text("'09:00'")),
    Column("quiet_from", Time),
    Column("quiet_to", Time),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("suspended_at", DateTime(timezone=True)),
    # The organisation says whose address it is; whatever came for it before the account was there counts, too.
    Column("email_vouched", Boolean, nullable=False, server_default=text("false")),
    Column("email_confirmed_at", DateTime(timezone=True)),
    Column("new_email", String(255)),
    # From when the person is being erased on; then the row tells nothing any more.
    Column("erased_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("role IN ('admin','registrar','instructor','analyst','learner','viewer')", name="role"),
    # Over PROVED_EMAIL as PostgreSQL writes it, line by line: tables and migrations are compared as text.
    Index("uq_users_email_ci", text(_PROVED_EMAIL), unique=True),
    schema=SCHEMA,
)
Index("uq_users_username_ci", func.lower(users.c.username), unique=True)
# An address that nobody has proved may be claimed by several people; the first who proves it has it.
PROVED = users.c.email_vouched | users.c.email_confirmed_at.is_not(None)
PROVED_EMAIL = case((PROVED, func.lower(users.c.email)))
Index("ix_users_email_ci", func.lower(users.c.email))

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("user_id", UUID(as_uuid=True), ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("family", UUID(as_uuid=True), nullable=False, index=True),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    Column("used_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    # Of the whole sign-in, carried from token to token; a sign-in of before they were kept has none.
    Column("began_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
    Column("device", String(200)),
    Index("ix_refresh_tokens_ended", "family", postgresql_where=text("revoked_at IS NOT NULL")),
    schema=SCHEMA,
)

mailed_links = Table(
    "mailed_links",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("user_id", UUID(as_uuid=True), ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("purpose", String(20), nullable=False),
    Column("email", String(255), nullable=False),
    Column("other_email", String(255)),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    Column("used_at", DateTime(timezone=True)),
    CheckConstraint(
        "purpose IN ('reset_password','confirm_email','stop_email_change','claim_account')", name="purpose"
    ),
    schema=SCHEMA,
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("email", String(255), nullable=False),
    Column("role", String(20), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("sendings", Integer, nullable=False, server_default=text("1")),
    Column("sent_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("invited_by", UUID(as_uuid=True), ForeignKey(users.c.id, ondelete="SET NULL"), index=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("accepted_at", DateTime(timezone=True)),
    Column("accepted_by", UUID(as_uuid=True), ForeignKey(users.c.id, ondelete="SET NULL"), index=True),
    Column("revoked_at", DateTime(timezone=True)),
    CheckConstraint("role IN ('admin','registrar','instructor','analyst','learner','viewer')", name="role"),
    schema=SCHEMA,
)
Index(
    "uq_invitations_email_open",
    func.lower(invitations.c.email),
    unique=True,
    postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
)

# Accounts that are gone because they were merged into others.
account_merges = Table(
    "account_merges",
    metadata,
    Column("merged_id", UUID(as_uuid=True), primary_key=True),
    Column("kept_id", UUID(as_uuid=True), ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("merged_at", DateTime(timezone=True), nullable=False),
    # When others heard of it for the second time.
    Column("repeated_at", DateTime(timezone=True)),
    Index("ix_account_merges_unrepeated", "merged_at", postgresql_where=text("repeated_at IS NULL")),
    schema=SCHEMA,
)

second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", UUID(as_uuid=True), ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    Column("secret", BYTEA, nullable=False),  # of the authenticator app, encrypted
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("confirmed_at", DateTime(timezone=True)),
    # The time step of the code that was taken last: a code works once.
    Column("last_step", BigInteger),
    # Wrong codes since the last right one.
    Column("failures", Integer, nullable=False, server_default=text("0")),
    schema=SCHEMA,
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", UUID(as_uuid=True), ForeignKey(users.c.id, ondelete="CASCADE"), primary_key=True),
    Column("code_hash", String(64), primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

sign_in_challenges = Table(
    "sign_in_challenges",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("user_id", UUID(as_uuid=True), ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("challenge_hash", String(64), nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    schema=SCHEMA,
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("public_jwk", JSONB, nullable=False),
    Column("state", String(10), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("not_after", DateTime(timezone=True)),
    CheckConstraint("state IN ('active','retiring','retired')", name="state"),
    Index("uq_signing_keys_active", "state", unique=True, postgresql_where=text("state = 'active'")),
    schema=SCHEMA,
)

personal_tokens = Table(
    "personal_tokens",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("user_id", UUID(as_uuid=True), ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(100), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    # The end of the token, by which its person tells it from others.
    Column("hint", String(4), nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), index=True),
    Column("last_used_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    # When its person was warned that it ends soon.
    Column("warned_at", DateTime(timezone=True)),
    CheckConstraint("expires_at IS NOT NULL OR scopes = ARRAY['calendar']", name="ends"),
    schema=SCHEMA,
)

sign_in_providers = Table(
    "sign_in_providers",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("issuer", String(500), nullable=False, unique=True),
    Column("client_id", String(255), nullable=False),
    # None: a public client, which has PKCE alone.
    Column("sealed_secret", LargeBinary),
    Column("domains", ARRAY(Text), nullable=False),
    Column("creates_accounts", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

linked_identities = Table(
    "linked_identities",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("user_id", UUID(as_uuid=True), ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True),
    # Of the provider, which may have been removed and added again meanwhile.
    Column("issuer", String(500), nullable=False),
    Column("subject", String(255), nullable=False),
    # How the person is called there, for the person to recognise; nothing is found by it.
    Column("label", String(255), nullable=False),
    Column("linked_at", DateTime(timezone=True), nullable=False),
    Column("last_used_at", DateTime(timezone=True)),
    UniqueConstraint("issuer", "subject", name="uq_linked_identities_issuer_subject"),
    schema=SCHEMA,
)

xapi_credentials = Table(
    "xapi_credentials",
    metadata,
    Column("key_id", String(40), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("public_pem", Text),
    Column("workspace_id", UUID(as_uuid=True)),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("authority", JSONB, nullable=False),
    Column("created_by", UUID(as_uuid=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("last_used_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    # While its workspace is deleted, and may be restored.
    Column("suspended_at", DateTime(timezone=True)),
    Column("published", Boolean, nullable=False, server_default=text("false")),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    # Requests a minute; null: as many as come.
    Column("rate_limit", Integer),
    # Whether statements without ids get ids derived from what they say (ADR 3).
    Column("deduplicate", Boolean, nullable=False, server_default=text("false")),
    Column("last_refused_at", DateTime(timezone=True)),
    Column("last_refused_reason", String(500)),
    CheckConstraint("rate_limit > 0", name="rate_limit"),
    schema=SCHEMA,
)
