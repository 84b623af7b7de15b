"""How academics is wired: what it serves, hears and does; it has no parts but the platform's."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dataforge.contexts.academics.contract import PromotionDue
from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.learning.contract import LessonCompleted
from dataforge.kernel.events import Event
from dataforge.platform.module import Job, Module, Subscriber
from dataforge.platform.services import Services

if TYPE_CHECKING:
    from dataforge.platform.attributions import Attribution
    from dataforge.platform.ops import Ops
    from dataforge.platform.personal_data import PersonalData

ACADEMICS = "dataforge.contexts.academics"


class AcademicsServices(Services):
    """The parts of academics."""


def _jobs() -> Mapping[str, Job[AcademicsServices]]:
    from dataforge.contexts.academics.maintenance import forget_old

    return {"academics": forget_old}


def _subscribers() -> Mapping[type[Event], Sequence[Subscriber[AcademicsServices]]]:
    from dataforge.contexts.academics.enrollment.consumers import promote_waiting
    from dataforge.contexts.academics.students.consumers import follow_merge, record_xapi_completion

    return {
        PromotionDue: (promote_waiting,),
        LessonCompleted: (record_xapi_completion,),
        AccountsMerged: (follow_merge,),
    }


def _personal_data() -> "PersonalData[AcademicsServices]":
    from dataforge.contexts.academics.personal_data import personal_data

    return personal_data()


def _attribution() -> "Attribution[AcademicsServices]":
    from dataforge.contexts.academics.attributions import STUDENT_RECORDS

    return STUDENT_RECORDS


def _ops() -> "Ops":
    from dataforge.contexts.academics.ops import ops

    return ops()


MODULE = Module(
    name="academics",
    services=AcademicsServices,
    routers={
        "api": {
            "/api/departments": f"{ACADEMICS}.routes",
            "/api/courses": f"{ACADEMICS}.routes",
            "/api/semesters": f"{ACADEMICS}.routes",
            "/api/sections": f"{ACADEMICS}.routes",
            "/api/students": f"{ACADEMICS}.students.routes",
            "/api/instructors": f"{ACADEMICS}.routes",
            "/api/enrollments": f"{ACADEMICS}.enrollment.routes",
            "/api/calendar-feeds": f"{ACADEMICS}.feeds.routes",
            "/api/rosters": f"{ACADEMICS}.rosters.routes",
            "/api/oneroster": f"{ACADEMICS}.oneroster.routes",
            "/ui/calendar-feeds": f"{ACADEMICS}.feeds.pages",
            "/ui/rosters": f"{ACADEMICS}.rosters.pages",
            "/ui/semesters": f"{ACADEMICS}.copies.pages",
            "/ui/courses": f"{ACADEMICS}.catalog.pages",
            "/ui/sections": f"{ACADEMICS}.sections.pages",
            "/ui/enrollments": f"{ACADEMICS}.enrollment.pages",
            "/ui/schedule": f"{ACADEMICS}.enrollment.pages",
        }
    },
    jobs=_jobs,
    subscribers=_subscribers,
    personal_data=_personal_data,
    attribution=_attribution,
    ops=_ops,
)
