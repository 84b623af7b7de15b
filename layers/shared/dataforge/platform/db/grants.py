"""What each function may do with each table; `roles.apply` gives its login exactly that.

A function is named as in its stack (`datasets-sql`); `schema-proof` is a second login of `api`. A table that nobody
names is reported by a test, and so is one that is named and does not exist. Views count as tables. Rows that are locked
(`FOR UPDATE`, `FOR SHARE`) need UPDATE; foreign keys are checked with the rights of the tables' owner. A right may name
columns in parentheses.
"""

from collections.abc import Iterable, Mapping

READ = frozenset({"SELECT"})
ADD = READ | {"INSERT"}
CHANGE = ADD | {"UPDATE"}
WRITE = CHANGE | {"DELETE"}

Privileges = frozenset[str]


def _tables(schema: str, names: str, privileges: Privileges) -> dict[str, Privileges]:
    return {f"{schema}.{name}": privileges for name in names.split()}


def _merged(*parts: Mapping[str, Privileges]) -> dict[str, Privileges]:
    found: dict[str, Privileges] = {}
    for part in parts:
        for table, privileges in part.items():
            found[table] = found.get(table, frozenset()) | privileges
    return found


# The revision of the migrations, for health.
_EVERYBODY = {"platform.alembic_version": READ}
# A token is checked against the public keys and against what became of its person and its sign-in; a personal one is
# looked up, and when it was used is written.
_CALLERS = _tables("identity", "signing_keys users refresh_tokens", READ) | _tables(
    "identity", "personal_tokens", READ | {"UPDATE (last_used_at)"}
)
# What every command that changes something writes along.
_COMMANDS = _tables("platform", "outbox idempotency_keys inbox", WRITE) | _tables("platform", "audit_log", ADD)
# Plans that wait to be applied.
_PLANS = _tables("platform", "plans", WRITE)
# Jobs that `worker` does; whoever queues one writes its row, and maintenance finds what was lost.
_JOBS = _tables("platform", "jobs", WRITE)

_IDENTITY = _merged(
    _tables(
        "identity",
        "users refresh_tokens personal_tokens xapi_credentials mailed_links invitations account_merges",
        WRITE,
    ),
    _tables("identity", "second_factors recovery_codes sign_in_challenges", WRITE),
    _tables("identity", "sign_in_providers linked_identities", WRITE),
    _tables("identity", "signing_keys directory", READ),
)
_ACADEMICS = _tables(
    "academics",
    "departments courses semesters sections section_meetings holidays meeting_changes calendar_feeds prerequisites "
    "students holds overrides enrollments "
    "enrollment_events course_completions course_activities consumed_events roster_plans roster_rows "
    "roster_uploads",
    WRITE,
)
_RECORDS = _tables(
    "records",
    "cohorts cohort_members lessons launches statement_claims intake statements_raw statements_flat statement_voids "
    "quarantine task_status former_matches lesson_progress lesson_addresses former_members removals",
    WRITE,
)
# What learning publishes for reports, as of an instant; also what progress is worked out from.
_FACTS = _tables("learning", "matches progress memberships lessons removals", READ)
# What statements say of activities is merged when they are accepted, or when they are loaded.
_ACTIVITIES = _tables("lrs", "activities", WRITE)
# What is in quarantine.
_REFUSED = _tables("records", "quarantine", CHANGE) | _tables("lrs", "kept_refusals", CHANGE)
# The bodies of statements, and where they are written.
_BODIES = (
    _tables("lrs", "statement_bodies", WRITE)
    | _tables("lrs", "statement_storage", CHANGE)
    | _tables("lrs", "statements", READ)
)
# Whom the loader takes out of what it loads.
_ERASED = _tables("lrs", "erased_agents", WRITE) | _tables("lrs", "erasure_salt", READ)
# To whom statements are sent.
_SUBSCRIPTIONS = _tables("lrs", "subscriptions deliveries", WRITE)
# What people are known by; whoever loads statements asks for it.
_IDENTIFIERS = _tables("lrs", "agent_identifiers", WRITE)
# What statements are found by, and those that wait to be loaded.
_SEARCH = _tables("lrs", "statement_keys statement_references pending_statements", WRITE)
# Sessions of course players.
_SESSIONS = _tables("lrs", "sessions session_statements", WRITE)
_SCHEMAS = _merged(
    _tables("schemas", "plans deployments deployment_steps", CHANGE),
    _tables("schemas", "revisions drift_checks", READ),
    _tables("schemas", "trash", READ | {"UPDATE"}),
)
_DATASETS = _tables(
    "datasets",
    "datasets dataset_permissions dataset_tags commits manifests commit_tables table_statistics refs jobs uploads "
    "expectations review_requests review_comments review_opinions review_checks publications",
    WRITE,
)
# The SQL catalog that versions are published in where Glue is not.
_CATALOG = _tables("datasets", "iceberg_tables iceberg_namespace_properties", WRITE)

_NOTIFICATIONS = _tables(
    "notifications",
    "messages suppressions preferences cadences runs calendar_events",
    WRITE,
) | _tables("learning", "cohorts active_members open_lessons lesson_dates", READ)
# To whom events go, whether their workspaces are still there, and what has happened.
_WEBHOOKS = (
    _tables("notifications", "webhooks webhook_deliveries", WRITE)
    | _tables("workspaces", "directory memberships", READ)
    | _tables("platform", "outbox", WRITE)
)
# What reports are made of, and how far statements have come.
_REPORTS = (
    _FACTS
    | _tables("learning", "cohorts", READ)
    | _tables("academics", "taught_sections", READ)
    | _tables("records", "intake statements_raw", READ)
)
_WORKSPACES = _tables(
    "workspaces",
    "profiles workspaces members invitations repos repo_refs repo_deliveries vaults notes note_revisions note_links "
    "global_resources workspace_global_resources",
    WRITE,
) | _tables("workspaces", "memberships directory", READ)
_TUTORIALS = _tables("tutorials", "transcripts transcript_segments tutorials tutorial_steps tutorial_links", WRITE)


def _reading(tables: Iterable[str]) -> dict[str, Privileges]:
    return dict.fromkeys(tables, READ)


# The login that proves plans of schemas: in a schema of its own, in a transaction that is rolled back. It runs what
# people have written, and therefore sees no table of the platform.
SCHEMA_MAKERS = frozenset({"schema-proof"})
GRANTS: Mapping[str, Mapping[str, Privileges]] = {
    "api": _merged(
        _EVERYBODY,
        _ERASED,
        _COMMANDS,
        _tables("platform", "throttles upload_claims", WRITE),
        _JOBS,
        _PLANS,
        # What a purge would delete is counted.
        _tables("lrs", "statement_keys documents", READ),
        _IDENTITY,
        _WORKSPACES,
        _TUTORIALS,
        _ACADEMICS,
        _tables("records", "cohorts cohort_members former_members lessons lesson_addresses launches", WRITE),
        _FACTS,
        _reading(_RECORDS),
        _reading(_BODIES),
        _SUBSCRIPTIONS,
        # Administrators look for statements, and see what refers to them.
        _tables("lrs", "statement_keys statement_references", READ),
        # What is replayed from quarantine is accepted like what is sent, or flattened again.
        _REFUSED,
        _tables("records", "statement_claims intake", WRITE),
        _tables("records", "statements_raw", CHANGE),
        _tables("lrs", "pending_statements", WRITE),
        _ACTIVITIES,
        # A launch puts its session and its launch data into the store.
        _SESSIONS,
        _tables("lrs", "documents", CHANGE),
        # A new person or lesson is found in statements that came earlier.
        _tables("records", "statements_flat former_matches", CHANGE),
        _tables("records", "lesson_progress", WRITE),
        _IDENTIFIERS,
        _NOTIFICATIONS,
        _WEBHOOKS,
        _SCHEMAS,
        # Rosters read a dataset by way of an export, which they ask for.
        _reading(_DATASETS),
        _tables("datasets", "jobs", CHANGE),
    ),
    "datasets-api": _merged(
        _EVERYBODY,
        _CALLERS,
        _COMMANDS,
        _tables("platform", "upload_claims", WRITE),
        # Dry runs of imports.
        _tables("platform", "plans", CHANGE),
        _DATASETS,
        _REPORTS,
        _tables("identity", "directory", READ),
        _tables("workspaces", "memberships directory", READ),
    ),
    "datasets-sql": _merged(
        _EVERYBODY,
        _CALLERS,
        _tables("workspaces", "memberships directory", READ),
        _tables("datasets", "datasets dataset_permissions refs commits manifests commit_tables", READ),
        # Statements read reports beside datasets.
        _REPORTS,
        _tables("identity", "directory", READ),
    ),
    "xapi": _merged(
        _EVERYBODY,
        _CALLERS,
        _tables("identity", "directory", READ),
        # How many requests credentials have sent.
        _tables("platform", "throttles", CHANGE),
        # When a credential was used, and why it was refused something; its secret's hash is read from the bucket.
        {
            "identity.xapi_credentials": frozenset(
                {
                    "SELECT (key_id, last_used_at, last_refused_at)",
                    "UPDATE (last_used_at, last_refused_at, last_refused_reason)",
                }
            )
        },
        _reading(_RECORDS),
        _reading(_BODIES),
        _tables("records", "statement_claims intake", WRITE),
        _tables("lrs", "documents pending_statements", WRITE),
        _tables("lrs", "statement_keys", READ),
        _SESSIONS,
        _reading(_IDENTIFIERS),
        _ACTIVITIES,
        _REFUSED,
    ),
    "xapi-etl": _merged(
        _EVERYBODY,
        _ERASED,
        _COMMANDS,
        _tables("identity", "users", CHANGE),
        _tables("identity", "directory", READ),
        # When a credential was last used; its secret's hash is not for the loader.
        {"identity.xapi_credentials": frozenset({"SELECT (key_id, last_used_at)", "UPDATE (last_used_at)"})},
        _RECORDS,
        _FACTS,
        _BODIES,
        # What it has loaded is announced; where it is sent, and with which secret, is not for the loader.
        {"lrs.subscriptions": frozenset({"SELECT (id, enabled, announced_for)", "UPDATE (announced_for)"})},
        _reading(_IDENTIFIERS),
        _ACTIVITIES,
        _SEARCH,
    ),
    "dataset-import": _merged(
        _EVERYBODY,
        _COMMANDS,
        _tables("platform", "plans", CHANGE),
        _DATASETS,
        _tables("identity", "directory", READ),
    ),
    "dataset-export": _merged(
        _EVERYBODY,
        _COMMANDS,
        _reading(_DATASETS),
        _tables("datasets", "jobs", CHANGE),
        _tables("datasets", "publications", WRITE),
        # Sizes of files that it has read from snapshots.
        _tables("datasets", "uploads", CHANGE),
        _CATALOG,
        _tables("identity", "directory", READ),
    ),
    "worker": _merged(
        _EVERYBODY,
        _ERASED,
        _COMMANDS,
        _JOBS,
        _PLANS,
        # It purges and erases what is stored, and stores what is imported.
        _RECORDS,
        _FACTS,
        _BODIES,
        _IDENTIFIERS,
        _ACTIVITIES,
        _SEARCH,
        _SESSIONS,
        _tables("lrs", "documents", WRITE),
        _tables("identity", "users", CHANGE),
        _tables("identity", "directory", READ),
        # It exports and erases people, from all that is held about them.
        _tables("identity", "refresh_tokens mailed_links personal_tokens linked_identities", WRITE),
        _tables("identity", "invitations account_merges recovery_codes sign_in_challenges", WRITE),
        {"identity.second_factors": frozenset({"SELECT (user_id, created_at, confirmed_at)", "DELETE"})},
        {"identity.xapi_credentials": frozenset({"SELECT (key_id, name, created_by, created_at)"})},
        _WORKSPACES,
        # It drafts tutorials.
        _TUTORIALS,
        _ACADEMICS,
        _NOTIFICATIONS,
        _WEBHOOKS,
        _reading(_DATASETS),
        _tables("datasets", "dataset_permissions", WRITE),
        _reading(_SCHEMAS),
        _tables("platform", "upload_claims", WRITE),
        _tables("platform", "audit_log", CHANGE),
        # Statements that are sent on.
        _SUBSCRIPTIONS,
        _tables("records", "statements_raw statement_voids intake", READ),
        _tables("lrs", "statement_keys statements statement_bodies", READ),
    ),
    "reminders": _merged(_EVERYBODY, _COMMANDS, _NOTIFICATIONS, _tables("identity", "directory", READ)),
    # What it suppresses, and the audit entry of that.
    "notifier": _merged(
        _EVERYBODY,
        _tables("notifications", "suppressions", CHANGE),
        _tables("platform", "audit_log", ADD),
    ),
    "maintenance": _merged(
        _EVERYBODY,
        _ERASED,
        _COMMANDS,
        _tables("platform", "audit_log throttles upload_claims", WRITE),
        _JOBS,
        _PLANS,
        _IDENTITY,
        _tables("identity", "signing_keys", WRITE),
        _WORKSPACES,
        # What a workspace had goes with it.
        _TUTORIALS,
        _ACADEMICS,
        _RECORDS,
        _FACTS,
        _BODIES,
        _SUBSCRIPTIONS,
        # It loads what a queue has lost, and ends sessions that nobody has ended.
        _SESSIONS,
        _IDENTIFIERS,
        # It loads what a queue has lost.
        _ACTIVITIES,
        _SEARCH,
        _DATASETS,
        _NOTIFICATIONS,
        _WEBHOOKS,
        # Deployments whose message or worker was lost, what has been in the trash long enough, and what to look at.
        _tables("schemas", "deployments trash revisions drift_checks", READ),
    ),
    "schema-proof": {},
}

# Functions of the database: what only the owner of a table may do, and what is read and counted in more than one place.
_COUNTING = (
    "records.take_revision()",
    "records.oldest_revision()",
    "learning.progress_of(timestamptz, uuid, uuid)",
)
# Reports as of a watermark.
_READING = (
    "learning.progress_as_of(timestamptz, uuid[], uuid[])",
    "learning.completions_between(timestamptz, timestamptz)",
    "learning.completions_page(timestamptz, timestamptz, uuid, uuid, bigint)",
    "learning.answers_as_of(timestamptz, uuid)",
    "learning.activity_as_of(timestamptz, timestamptz, timestamptz, uuid[], uuid[])",
    "learning.members_as_of(timestamptz, uuid)",
    "learning.lessons_as_of(timestamptz, uuid)",
    "learning.removed_since(timestamptz)",
)
EXECUTES: Mapping[str, tuple[str, ...]] = {
    "api": (*_COUNTING, *_READING),
    "datasets-api": ("records.oldest_revision()", "learning.progress_of(timestamptz, uuid, uuid)", *_READING),
    "datasets-sql": ("records.oldest_revision()", "learning.progress_of(timestamptz, uuid, uuid)", *_READING),
    "xapi-etl": _COUNTING,
    "maintenance": (*_COUNTING, "lrs.make_statement_partition(date)"),
    "worker": (*_COUNTING, "lrs.make_statement_partition(date)", "lrs.drop_statement_partition(date)"),
}
