"""The words of who may do what: actions, kinds of resources, and what a rule can ask for."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from dataforge.kernel.errors import Forbidden
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text


class Action(StrEnum):
    """What is done with a resource; the verbs after `delete` are those whose rule is another than that of `change`."""

    READ = "read"
    LIST = "list"  # all there are, whomever they belong to
    EXPORT = "export"
    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    ACCEPT = "accept"
    APPLY = "apply"
    APPROVE = "approve"
    ARCHIVE = "archive"
    COMPLETE = "complete"
    COPY = "copy"
    LOCK = "lock"
    PROTECT = "protect"
    PUBLISH = "publish"
    PURGE = "purge"
    TRANSFER = "transfer"

    @property
    def reads(self) -> bool:
        """Whether nothing that others see is another afterwards."""
        return self in (Action.READ, Action.LIST, Action.EXPORT)


class Area(StrEnum):
    """Parts of the product, as scopes of personal access tokens name them."""

    ACCOUNTS = "accounts"
    WORKSPACES = "workspaces"
    RECORDS = "records"
    LEARNING = "learning"
    ACADEMICS = "academics"
    DATASETS = "datasets"
    REPORTS = "reports"
    NOTIFICATIONS = "notifications"
    SCHEMAS = "schemas"
    TUTORIALS = "tutorials"
    OPERATIONS = "operations"


class Kind(StrEnum):
    """Kinds of resources, by the nouns that people use."""

    ACCOUNT = "account"  # one's own
    USER = "user"  # the account of anybody, to administrators
    SESSION = "session"
    PASSWORD = "password"  # noqa: S105 - the word for it
    EMAIL_ADDRESS = "email_address"
    INVITATION = "invitation"
    TOKEN = "token"  # noqa: S105 - the word for it
    SECOND_FACTOR = "second_factor"
    SIGN_IN_METHOD = "sign_in_method"
    IDENTITY_PROVIDER = "identity_provider"
    CREDENTIAL = "credential"
    PERSON = "person"  # everything that is held about somebody
    ATTRIBUTION = "attribution"

    PROFILE = "profile"
    WORKSPACE = "workspace"
    MEMBER = "member"
    MEMBER_INVITATION = "member_invitation"
    REPO = "repo"
    VAULT = "vault"
    NOTE = "note"
    RESOURCE = "resource"
    SHARED_RESOURCE = "shared_resource"

    STATEMENT = "statement"
    ATTACHMENT = "attachment"
    STATE = "state"
    ACTIVITY_PROFILE = "activity_profile"
    AGENT_PROFILE = "agent_profile"
    ACTIVITY = "activity"
    AGENT = "agent"
    PURGE = "purge"
    ERASURE = "erasure"
    SUBSCRIPTION = "subscription"
    IDENTIFIER = "identifier"
    QUARANTINE = "quarantine"

    LESSON = "lesson"
    COHORT = "cohort"
    COMPLETION = "completion"
    LAUNCH = "launch"

    DEPARTMENT = "department"
    SEMESTER = "semester"
    COURSE = "course"
    DRAFT = "draft"  # a course that is not published, with its sections
    INSTRUCTOR = "instructor"
    SECTION = "section"
    MEETING = "meeting"  # one of a section, on one day
    CALENDAR_FEED = "calendar_feed"
    ROSTER = "roster"
    ROSTER_PLAN = "roster_plan"
    ENROLLMENT = "enrollment"
    STUDENT = "student"
    HOLD = "hold"
    OVERRIDE = "override"

    DATASET = "dataset"
    GRANT = "grant"
    TABLE = "table"
    REF = "ref"
    COMMIT = "commit"
    REVIEW = "review"
    COMMENT = "comment"
    EXPECTATION = "expectation"
    UPLOAD = "upload"
    DATASET_JOB = "dataset_job"
    PUBLICATION = "publication"

    REPORT = "report"
    TIME_LINE = "time_line"

    CALENDAR = "calendar"
    PREFERENCE = "preference"
    REMINDER = "reminder"
    CADENCE = "cadence"
    WEBHOOK = "webhook"

    SCHEMA = "schema"
    SCHEMA_PLAN = "schema_plan"
    SCHEMA_TRASH = "schema_trash"
    DEPLOYMENT = "deployment"

    TRANSCRIPT = "transcript"
    TUTORIAL = "tutorial"
    TUTORIAL_LINK = "tutorial_link"  # by which anybody reads it

    JOB = "job"
    HEALTH = "health"
    QUEUE = "queue"
    AUDIT = "audit"
    EVENT = "event"  # on its way to its subscribers


class MemberRole(StrEnum):
    """What a member of a workspace may do; each role may do what those after it may."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"

    def covers(self, other: "MemberRole") -> bool:
        """Whether this role may do what the other may."""
        return _RANKS[self] >= _RANKS[other]


_RANKS = {role: -position for position, role in enumerate(MemberRole)}


class Level(StrEnum):
    """What a grant on a dataset allows; each level includes the ones before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """1 for read, 2 for write, 3 for admin."""
        return list(Level).index(self) + 1

    @classmethod
    def of_member(cls, role: MemberRole) -> "Level":
        """What a member of the workspace that a dataset belongs to may do with it."""
        return _LEVELS[role]

    def covers(self, needed: "Level") -> bool:
        """Whether this level is enough where `needed` is asked for."""
        return self.rank >= needed.rank


_LEVELS = {
    MemberRole.OWNER: Level.ADMIN,
    MemberRole.ADMIN: Level.ADMIN,
    MemberRole.EDITOR: Level.WRITE,
    MemberRole.VIEWER: Level.READ,
}

Roles = frozenset[Role]
NOBODY: Roles = frozenset()
EVERYBODY: Roles = frozenset(Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table: who may; any one of the columns is enough.

    `scopes` and `own_scopes` are those of xAPI credentials, the one that is asked for first, then wider ones.
    """

    roles: Roles = NOBODY
    """Roles of the organisation that may do it with every resource of the kind; `admin` is named where it counts.

    With what belongs to a workspace only administrators may: the others are strangers there unless they are members.
    """
    own: Roles = NOBODY
    """Roles that may do it with what is their own."""
    teaching: Roles = NOBODY
    """Roles that may do it with what belongs to a section that they teach."""
    member: MemberRole | None = None
    """The least role in the resource's workspace; what belongs to none is for `roles`."""
    level: Level | None = None
    """The least level of a grant on the resource's dataset."""
    scopes: tuple[str, ...] = ()
    """Scopes that are each enough, whatever the resource."""
    own_scopes: tuple[str, ...] = ()
    """Scopes that are enough for what the credential has stored itself."""
    interactive: bool = False
    """Only for somebody who has signed in; no personal access token does it."""

    @property
    def entered_by(self) -> Roles:
        """The roles whose holders may do it with some resource of the kind; which, is seen when it is known."""
        in_part = self.member is not None or self.level is not None
        return EVERYBODY if in_part else self.roles | self.own | self.teaching


@dataclass(frozen=True, slots=True)
class Resource:
    """What something is done with: its kind, and what the rules need to know of it, as far as it has it."""

    kind: Kind
    owner: UUID | None = None
    teacher: UUID | None = None
    workspace: UUID | None = None
    dataset: UUID | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """What of the things of one kind somebody may do something with: of which workspaces, and of none.

    `organisation` is what belongs to no workspace, `everywhere` is all there is.
    """

    everywhere: bool
    organisation: bool
    workspaces: frozenset[UUID]


def role_missing(needed: Iterable[Role], held: Role) -> Forbidden:
    """The refusal for somebody whose role is none of those that may."""
    names = sorted(role.value for role in needed)
    named = " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    message = Text("This needs the role {named}; you are signed in as {held}.", named=named, held=held.value)
    return Forbidden(message, facts={"required_roles": names})
