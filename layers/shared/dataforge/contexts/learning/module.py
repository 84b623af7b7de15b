"""How learning is wired: what it serves, and what it offers the record store."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.learning.contract import LessonPublishing
from dataforge.contexts.lrs.contract import LessonDirectory
from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.kernel.events import Event
from dataforge.platform.module import Job, Module, Subscriber
from dataforge.platform.services import Services

if TYPE_CHECKING:
    from dataforge.contexts.learning.completions.register import SqlLessonDirectory
    from dataforge.contexts.learning.lessons.publishing import StoredLessonPublishing
    from dataforge.platform.attributions import Attribution
    from dataforge.platform.personal_data import PersonalData

LEARNING = "dataforge.contexts.learning"


class LearningServices(Services):
    """The parts of learning."""

    @cached_property
    def lessons(self) -> "SqlLessonDirectory":
        """Lessons inside a transaction of the record store."""
        from dataforge.contexts.learning.completions.register import SqlLessonDirectory

        return SqlLessonDirectory()

    @cached_property
    def lesson_publishing(self) -> "StoredLessonPublishing":
        """Makes lessons of what other contexts have."""
        from dataforge.contexts.learning.lessons.publishing import StoredLessonPublishing
        from dataforge.contexts.lrs.contract import StatementMatching

        return StoredLessonPublishing(self.platform.get(StatementMatching))


def _jobs() -> Mapping[str, Job[LearningServices]]:
    from dataforge.contexts.learning.lessons.consumers import keep_addresses

    return {"lesson_addresses": keep_addresses}


def _personal_data() -> "PersonalData[LearningServices]":
    from dataforge.contexts.learning.personal_data import personal_data

    return personal_data()


def _subscribers() -> Mapping[type[Event], Sequence[Subscriber[LearningServices]]]:
    from dataforge.contexts.learning.cohorts.consumers import delete_all, follow_merge

    return {AccountsMerged: (follow_merge,), WorkspaceDeleted: (delete_all,)}


def _attribution() -> "Attribution[LearningServices]":
    from dataforge.contexts.learning.attributions import MEMBERSHIPS

    return MEMBERSHIPS


MODULE = Module(
    name="learning",
    services=LearningServices,
    routers={
        "api": {
            "/api/cohorts": f"{LEARNING}.cohorts.routes",
            "/api/launches": f"{LEARNING}.launches.routes",
            "/ui/lessons": f"{LEARNING}.launches.pages",
            "/api/lessons": f"{LEARNING}.lessons.routes",
        }
    },
    open_paths=("/api/launches/fetch",),  # players come from everywhere, with the token of a launch and no cookie
    jobs=_jobs,
    subscribers=_subscribers,
    offers={
        LessonDirectory: lambda platform: platform.get(LearningServices).lessons,
        LessonPublishing: lambda platform: platform.get(LearningServices).lesson_publishing,
    },
    personal_data=_personal_data,
    attribution=_attribution,
)
