"""Branches and tags: names, protection, moving by compare-and-set."""

import re
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from dataforge.contexts.datasets.commits.domain import _COMMIT
from dataforge.contexts.datasets.contract import BranchMoved
from dataforge.kernel.errors import AlreadyExists, Conflict, Locked, NotFound, ValidationFailed, Violation
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry

# No slash: API Gateway decodes %2F before it routes, so that such a name could not be told from a path.
REF_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")
RESERVED_NAMES = frozenset({"HEAD", "head"})
MAIN = "main"


class RefKind(StrEnum):
    """A branch moves with every commit on it; a tag stays where it was put."""

    BRANCH = "branch"
    TAG = "tag"


class RefNotFound(NotFound):
    """The dataset has no such branch or tag."""

    code = "ref_not_found"
    title = "There is no such branch or tag"


class RefExists(AlreadyExists):
    """A branch or tag of this name exists."""

    code = "ref_exists"
    title = "The branch or tag already exists"


class RefMoved(Conflict):
    """The ref is no longer where the caller saw it; `expected_commit` and `current_commit` name both."""

    code = "ref_moved"
    title = "The branch or tag has moved"


class RefProtected(Locked):
    """The ref changes through reviewed merges only."""

    code = "ref_protected"
    title = "The branch or tag is protected"


class NotABranch(Conflict):
    """Only branches take commits."""

    code = "not_a_branch"
    title = "Tags take no commits"


class NotFastForward(Conflict):
    """The move would leave commits behind."""

    code = "not_fast_forward"
    title = "The move would lose commits"


class DefaultBranch(Conflict):
    """The default branch cannot be deleted and must be a branch."""

    code = "default_branch"
    title = "This is about the default branch"


def check_ref_name(name: str, pointer: str = "/name") -> str:
    """The name, if it may name a branch or tag; raises ValidationFailed.

    1 to 100 letters, digits, `.`, `_`, `-`, starting with a letter or digit and not ending with a dot; no `..`, and
    nothing that looks like a commit id.
    """
    if REF_NAME.fullmatch(name) and ".." not in name and not _COMMIT.fullmatch(name) and name not in RESERVED_NAMES:
        return name
    message = Text(
        "must be 1 to 100 letters, digits, '.', '_' or '-', start with a letter or digit, not end with '.', "
        "not contain '..', and not look like a commit id"
    )
    raise ValidationFailed(
        Text("{name!r} is not a name for a branch or tag: it {message}.", name=name, message=message),
        violations=[Violation(pointer, message, "ref_name")],
    )


def ref_moved(name: str, expected: str, current: str | None) -> RefMoved:
    """The refusal that tells a loser of a race what was expected and what is there."""
    message = Text(
        "{name} was expected at commit {expected} and is at {value}; nothing was changed. "
        "Read it again and repeat your change on top of it.",
        name=name,
        expected=expected,
        value=current or "no commit",
    )
    return RefMoved(message, facts={"ref": name, "expected_commit": expected, "current_commit": current})


def ref_missing(name: str) -> RefNotFound:
    """The refusal for a name that is neither a branch nor a tag."""
    return RefNotFound(Text("There is no branch or tag {name!r} in this dataset.", name=name), facts={"ref": name})


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or tag as it is now."""

    name: str
    kind: RefKind
    commit_id: str
    protected: bool = False
    required_approvals: int = 0
    is_default: bool = False
    workspace_id: UUID | None = None

    def check_at(self, expected: str) -> None:
        """Raise RefMoved unless the ref is at the expected commit; `*` matches any."""
        if expected not in ("*", self.commit_id):
            raise ref_moved(self.name, expected, self.commit_id)

    def check_takes_commits(self) -> None:
        """Raise NotABranch for a tag and RefProtected where only reviewed merges may write."""
        if self.kind is not RefKind.BRANCH:
            message = Text("{name} is a tag; commit on a branch.", name=self.name)
            raise NotABranch(message, facts={"ref": self.name})
        self.check_writable()

    def check_writable(self) -> None:
        """Raise RefProtected when the ref is protected."""
        if self.protected:
            message = Text(
                "{name} is protected: propose the change in a review request and merge that.", name=self.name
            )
            raise RefProtected(message, facts={"ref": self.name})

    def check_deletable(self) -> None:
        """Raise DefaultBranch or RefProtected when the ref must stay."""
        if self.is_default:
            message = Text("{name} is the default branch; make another branch the default first.", name=self.name)
            raise DefaultBranch(message, facts={"ref": self.name})
        self.check_writable()

    def moved(self, dataset_id: UUID, commit_id: str) -> BranchMoved | None:
        """What others hear when the ref is put on another commit; nothing for a tag."""
        if self.kind is not RefKind.BRANCH or self.commit_id == commit_id:
            return None
        return BranchMoved(dataset_id, self.name, self.commit_id, commit_id, self.workspace_id)

    def entry(self, action: str, dataset_id: UUID, commit_id: str) -> AuditEntry:
        """The entry of the audit log for putting the ref on another commit."""
        before, after = {"commit_id": self.commit_id}, {"commit_id": commit_id}
        return AuditEntry(action, "dataset_ref", f"{dataset_id}/{self.name}", before=before, after=after)
