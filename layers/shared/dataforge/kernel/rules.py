"""Who may do what: the one table, and how it is asked.

Roles of the organisation, roles in a workspace, levels on a dataset, and scopes of xAPI credentials are columns of the
same rows. Routes name their row, rules of contexts ask `allows`, and `docs/access.md` shows them all.
"""

from collections.abc import Mapping
from functools import cache

from dataforge.kernel import scopes
from dataforge.kernel.access import (
    EVERYBODY,
    NOBODY,
    Action,
    Area,
    Kind,
    Level,
    MemberRole,
    Resource,
    Roles,
    Rule,
)
from dataforge.kernel.errors import ScopeMissing
from dataforge.kernel.principal import Principal, Role
from dataforge.kernel.texts import Text

_ADMINS: Roles = frozenset({Role.ADMIN})
_REGISTRARS: Roles = _ADMINS | {Role.REGISTRAR}
_TEACHERS: Roles = _REGISTRARS | {Role.INSTRUCTOR}
_ANALYSTS: Roles = _TEACHERS | {Role.ANALYST}


def _own(*actions: Action, roles: Roles = NOBODY) -> dict[Action, Rule]:
    return dict.fromkeys(actions, Rule(roles=roles, own=EVERYBODY))


def _signed_in(*actions: Action, roles: Roles = NOBODY) -> dict[Action, Rule]:
    return dict.fromkeys(actions, Rule(roles=roles, own=EVERYBODY, interactive=True))


def _roles(roles: Roles, *actions: Action) -> dict[Action, Rule]:
    return dict.fromkeys(actions, Rule(roles=roles))


def _members(role: MemberRole, *actions: Action) -> dict[Action, Rule]:
    return dict.fromkeys(actions, Rule(member=role))


def _shared(roles: Roles, member: MemberRole, *actions: Action, own: Roles = NOBODY) -> dict[Action, Rule]:
    """What belongs to a workspace is for its members, what belongs to none for roles of the organisation."""
    return dict.fromkeys(actions, Rule(roles=roles, member=member, own=own))


def _granted(level: Level, *actions: Action) -> dict[Action, Rule]:
    return dict.fromkeys(actions, Rule(roles=_ADMINS, level=level))


def _scoped(scope: str, *actions: Action) -> dict[Action, Rule]:
    return {
        action: Rule(scopes=(scope, "all/read", "all") if action is Action.READ else (scope, "all"))
        for action in actions
    }


READ, LIST, EXPORT, CREATE = Action.READ, Action.LIST, Action.EXPORT, Action.CREATE
CHANGE, DELETE, APPLY = Action.CHANGE, Action.DELETE, Action.APPLY
_OWNERS, _KEEPERS, _EDITORS, _VIEWERS = MemberRole
_WRITING = (CREATE, CHANGE, DELETE)
_TABLE: Mapping[Area, Mapping[Kind, Mapping[Action, Rule]]] = {
    Area.ACCOUNTS: {
        Kind.ACCOUNT: _own(READ) | _signed_in(CHANGE),
        Kind.USER: _roles(_ADMINS, READ, CHANGE),
        Kind.SESSION: _signed_in(READ, DELETE),
        Kind.PASSWORD: _signed_in(CHANGE),
        Kind.EMAIL_ADDRESS: _signed_in(CHANGE),
        Kind.INVITATION: _roles(_ADMINS, READ, *_WRITING) | _signed_in(Action.ACCEPT),
        Kind.TOKEN: _signed_in(READ, CREATE, DELETE),
        Kind.SECOND_FACTOR: _signed_in(READ, *_WRITING),
        Kind.SIGN_IN_METHOD: _signed_in(READ, CREATE, DELETE),
        Kind.IDENTITY_PROVIDER: _roles(_ADMINS, READ, *_WRITING),
        # What is sent with one counts for everybody's lessons: who keeps a workspace is given one, and looks after it.
        Kind.CREDENTIAL: _roles(_ADMINS, CREATE) | _shared(_ADMINS, _KEEPERS, READ, CHANGE, DELETE),
        Kind.PERSON: _signed_in(READ, EXPORT, DELETE, roles=_ADMINS),
        Kind.ATTRIBUTION: _roles(_ADMINS, READ, APPLY),
    },
    Area.WORKSPACES: {
        # Seen in a workspace that both are in.
        Kind.PROFILE: {READ: Rule(roles=_ADMINS, own=EVERYBODY, member=_VIEWERS)} | _own(*_WRITING),
        Kind.WORKSPACE: _own(CREATE)
        | _members(_VIEWERS, READ)
        | _members(_KEEPERS, CHANGE)
        | _members(_OWNERS, Action.ARCHIVE, Action.TRANSFER, DELETE, EXPORT),
        Kind.MEMBER: _members(_VIEWERS, READ)
        | _members(_KEEPERS, CHANGE)
        | {DELETE: Rule(member=_KEEPERS, own=EVERYBODY)},
        Kind.MEMBER_INVITATION: _members(_KEEPERS, READ, *_WRITING) | _own(Action.ACCEPT),
        Kind.REPO: _members(_VIEWERS, READ) | _members(_EDITORS, CREATE, CHANGE) | _members(_KEEPERS, DELETE),
        Kind.VAULT: _members(_VIEWERS, READ, EXPORT)
        | _members(_EDITORS, CREATE, CHANGE)
        | _members(_KEEPERS, Action.LOCK, DELETE),
        # `delete` puts a note into the trash, `purge` deletes it for good.
        Kind.NOTE: _members(_VIEWERS, READ) | _members(_EDITORS, *_WRITING) | _members(_KEEPERS, Action.PURGE),
        Kind.RESOURCE: _own(READ, *_WRITING),
        # `delete` is to share it no longer.
        Kind.SHARED_RESOURCE: _members(_VIEWERS, READ, Action.COPY)
        | _members(_EDITORS, CREATE, CHANGE)
        | {DELETE: Rule(member=_KEEPERS, own=EVERYBODY)},
    },
    Area.RECORDS: {
        Kind.STATEMENT: {
            READ: Rule(
                roles=_ADMINS,
                scopes=("statements/read", "all/read", "all"),
                own_scopes=("statements/read/mine",),
            ),
            CREATE: Rule(roles=_ADMINS, scopes=("statements/write", "all")),
            EXPORT: Rule(roles=_ADMINS),
        },
        Kind.ATTACHMENT: {
            READ: Rule(scopes=("statements/read", "all/read", "all"), own_scopes=("statements/read/mine",)),
            CREATE: Rule(scopes=("statements/write", "all")),
        },
        Kind.STATE: _scoped("state", READ, CHANGE, DELETE),
        Kind.ACTIVITY_PROFILE: _scoped("profile", READ, CHANGE, DELETE),
        Kind.AGENT_PROFILE: _scoped("profile", READ, CHANGE, DELETE),
        Kind.ACTIVITY: {
            READ: Rule(scopes=("define", "statements/read", "all/read", "all")),
            CHANGE: Rule(scopes=("define", "all")),
        },
        Kind.AGENT: {READ: Rule(scopes=("profile", "statements/read", "all/read", "all"))},
        Kind.PURGE: _roles(_ADMINS, READ, APPLY),
        Kind.ERASURE: _roles(_ADMINS, READ, APPLY),
        Kind.SUBSCRIPTION: _roles(_ADMINS, READ, *_WRITING),
        Kind.IDENTIFIER: _roles(_ADMINS, READ, CREATE, DELETE),
        Kind.QUARANTINE: _roles(_ADMINS, READ, CHANGE, DELETE),
    },
    Area.LEARNING: {
        # In a workspace whoever writes lessons has a role of the organisation that does, too: see learning.calls.
        Kind.LESSON: _shared(_ANALYSTS, _VIEWERS, READ)
        | _shared(_TEACHERS, _EDITORS, CREATE, CHANGE)
        | _shared(_TEACHERS, _KEEPERS, DELETE),
        Kind.COHORT: _shared(_ANALYSTS, _VIEWERS, READ)
        | _shared(_TEACHERS, _EDITORS, CREATE, CHANGE)
        | _shared(_TEACHERS, _KEEPERS, DELETE),
        Kind.COMPLETION: _shared(_ANALYSTS, _VIEWERS, READ),
        # Learners launch the lessons of their cohorts, those who may read lessons any; all see what they have launched.
        Kind.LAUNCH: _shared(_ANALYSTS, _VIEWERS, CREATE, READ, own=EVERYBODY)
        | _shared(_TEACHERS, _EDITORS, CHANGE, own=EVERYBODY)
        | _shared(_ANALYSTS, _VIEWERS, LIST),
    },
    Area.ACADEMICS: {
        Kind.DEPARTMENT: _roles(EVERYBODY, READ) | _roles(_REGISTRARS, *_WRITING),
        Kind.SEMESTER: _roles(EVERYBODY, READ) | _roles(_REGISTRARS, *_WRITING),
        Kind.COURSE: _roles(EVERYBODY, READ) | _roles(_REGISTRARS, *_WRITING),
        Kind.DRAFT: _roles(_TEACHERS, READ),
        Kind.INSTRUCTOR: _roles(EVERYBODY, READ),
        Kind.SECTION: _roles(EVERYBODY, READ) | _roles(_REGISTRARS, *_WRITING),
        Kind.MEETING: {CHANGE: Rule(roles=_REGISTRARS, teaching=frozenset({Role.INSTRUCTOR}))},
        # A feed goes on when the token that made it has ended, hence only somebody who has signed in makes one.
        Kind.CALENDAR_FEED: _own(READ, DELETE) | _signed_in(CREATE),
        Kind.ROSTER: {READ: Rule(roles=_REGISTRARS, teaching=frozenset({Role.INSTRUCTOR}))}
        | _roles(_REGISTRARS, EXPORT),
        Kind.ROSTER_PLAN: _roles(_REGISTRARS, READ, CREATE, APPLY),
        Kind.ENROLLMENT: _own(CREATE, CHANGE, roles=_REGISTRARS)
        | {
            READ: Rule(roles=_REGISTRARS, own=EVERYBODY, teaching=frozenset({Role.INSTRUCTOR})),
            Action.COMPLETE: Rule(roles=_REGISTRARS, teaching=frozenset({Role.INSTRUCTOR})),
        },
        Kind.STUDENT: _own(READ, roles=_REGISTRARS) | _roles(_REGISTRARS, LIST, *_WRITING),
        Kind.HOLD: _own(READ, roles=_REGISTRARS) | _roles(_REGISTRARS, CREATE, CHANGE),
        Kind.OVERRIDE: _own(READ, roles=_REGISTRARS) | _roles(_REGISTRARS, CREATE, CHANGE),
    },
    Area.DATASETS: {
        Kind.DATASET: _granted(Level.READ, READ)
        | _shared(_ANALYSTS, _EDITORS, CREATE)
        # Out of the workspace that it belongs to.
        | _shared(_ADMINS, _KEEPERS, Action.TRANSFER)
        | _granted(Level.ADMIN, CHANGE, DELETE),
        Kind.GRANT: _granted(Level.ADMIN, READ, CHANGE, DELETE),
        Kind.TABLE: _granted(Level.READ, READ, EXPORT),
        Kind.REF: _granted(Level.READ, READ) | _granted(Level.WRITE, *_WRITING) | _granted(Level.ADMIN, Action.PROTECT),
        Kind.COMMIT: _granted(Level.READ, READ) | _granted(Level.WRITE, CREATE),
        Kind.REVIEW: _granted(Level.READ, READ) | _granted(Level.WRITE, CREATE, CHANGE, Action.APPROVE),
        Kind.COMMENT: _granted(Level.READ, CREATE),
        Kind.EXPECTATION: _granted(Level.READ, READ) | _granted(Level.ADMIN, CREATE, DELETE),
        Kind.UPLOAD: _granted(Level.READ, READ) | _granted(Level.WRITE, *_WRITING),
        Kind.DATASET_JOB: _granted(Level.READ, READ) | _granted(Level.WRITE, CHANGE, DELETE),
        # Who may export may publish.
        Kind.PUBLICATION: _granted(Level.READ, READ, CREATE) | _granted(Level.WRITE, DELETE),
    },
    Area.REPORTS: {
        Kind.REPORT: _shared(_ANALYSTS, _VIEWERS, READ),
        Kind.TIME_LINE: _own(READ, roles=_ANALYSTS),
    },
    Area.NOTIFICATIONS: {
        Kind.CALENDAR: _own(READ),
        Kind.PREFERENCE: _own(READ, CHANGE),
        Kind.REMINDER: _roles(_ADMINS, READ, CREATE),
        Kind.CADENCE: _shared(_TEACHERS, _VIEWERS, READ) | _shared(_TEACHERS, _EDITORS, CHANGE),
        # Those of the organisation hear of everybody, those of a workspace of what happens in it.
        Kind.WEBHOOK: _shared(_ADMINS, _KEEPERS, READ, *_WRITING),
    },
    Area.SCHEMAS: {
        Kind.SCHEMA: _members(_VIEWERS, READ),
        Kind.SCHEMA_PLAN: _members(_VIEWERS, READ) | _members(_EDITORS, CREATE),
        Kind.SCHEMA_TRASH: _members(_VIEWERS, READ) | _members(_KEEPERS, DELETE),
        Kind.DEPLOYMENT: _members(_VIEWERS, READ) | _members(_KEEPERS, CREATE, CHANGE),
    },
    Area.TUTORIALS: {
        Kind.TRANSCRIPT: _members(_VIEWERS, READ) | _members(_EDITORS, CREATE, CHANGE) | _members(_KEEPERS, DELETE),
        Kind.TUTORIAL: _members(_VIEWERS, READ)
        | _members(_EDITORS, CREATE, CHANGE, Action.PUBLISH)
        | _members(_KEEPERS, DELETE),
        Kind.TUTORIAL_LINK: _members(_VIEWERS, READ) | _members(_EDITORS, CREATE, DELETE),
    },
    Area.OPERATIONS: {
        Kind.JOB: _own(READ, CHANGE, roles=_ADMINS),
        Kind.HEALTH: _roles(_ADMINS, READ),
        Kind.QUEUE: _roles(_ADMINS, READ, CHANGE, DELETE),
        Kind.AUDIT: _roles(_ADMINS, READ),
        Kind.EVENT: _roles(_ADMINS, READ, CHANGE),
    },
}
RULES: Mapping[tuple[Kind, Action], Rule] = {
    (kind, action): rule
    for kinds in _TABLE.values()
    for kind, actions in kinds.items()
    for action, rule in actions.items()
}
_AREA_OF = {kind: area for area, kinds in _TABLE.items() for kind in kinds}


def allows(
    principal: Principal,
    action: Action,
    resource: Resource,
    *,
    member: MemberRole | None = None,
    level: Level | None = None,
) -> bool:
    """Whether the person may; `member` and `level` are what they have in its workspace and on its dataset.

    Raises KeyError for an action that the kind does not have.
    """
    rule, role, person = RULES[resource.kind, action], principal.role, principal.user_id
    if role in rule.roles and (resource.workspace is None or role is Role.ADMIN):
        return True
    if person is not None and (
        (person == resource.owner and role in rule.own) or (person == resource.teacher and role in rule.teaching)
    ):
        return True
    if rule.member is not None and member is not None and member.covers(rule.member):
        return True
    return rule.level is not None and level is not None and level.covers(rule.level)


def may_any(principal: Principal, action: Action, kind: Kind) -> bool:
    """Whether the person's role allows it with every resource of the kind."""
    return principal.role in RULES[kind, action].roles


def area_of(kind: Kind) -> Area:
    """The part of the product that the kind belongs to."""
    return _AREA_OF[kind]


def token_scope(action: Action, kind: Kind) -> str:
    """The scope that a personal access token needs: `datasets:read`."""
    return f"{area_of(kind)}:{'read' if action.reads else 'write'}"


def require_scope(granted: frozenset[str], action: Action, kind: Kind) -> None:
    """Raise ScopeMissing unless a personal access token with these scopes is good for this."""
    needed = token_scope(action, kind)
    if not scopes.allows(granted, needed):
        message = Text("This token does not have the scope {needed}.", needed=needed)
        raise ScopeMissing(message, facts={"required_scope": needed})


XAPI_SCOPES = frozenset(scope for rule in RULES.values() for scope in (*rule.scopes, *rule.own_scopes))
"""Scopes of xAPI credentials (xAPI 1.0.3, part 3, §4.2 "OAuth Authorization Scope")."""


@cache  # not at import: functions that ask for no scope do not wait for it
def _allowed_by(scope: str) -> frozenset[tuple[Kind, Action, bool]]:
    everything = {(kind, action, False) for (kind, action), rule in RULES.items() if scope in rule.scopes}
    own = {(kind, action, True) for (kind, action), rule in RULES.items() if scope in rule.own_scopes}
    return frozenset(everything | own | {(kind, action, True) for kind, action, _ in everything})


def scope_covers(held: str, needed: str) -> bool:
    """Whether one scope of xAPI allows all that the other does."""
    return needed in XAPI_SCOPES and _allowed_by(needed) <= _allowed_by(held)
