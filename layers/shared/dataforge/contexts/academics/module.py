"""How academics is wired: what it serves, hears and does; it has no parts but the platform's."""

from collections.abc import Mapping, Sequence

from dataforge.contexts.academics.contract import EnrollmentChanged, PromotionDue
from dataforge.contexts.learning.contract import LessonCompleted
from dataforge.kernel.events import Event
from dataforge.platform.module import Job, Module, Subscriber
from dataforge.platform.services import Services

ROUTES = "dataforge.contexts.academics.routes"
PAGES = "dataforge.contexts.academics.pages"


class AcademicsServices(Services):
    """The parts of academics."""


def _jobs() -> Mapping[str, Job[AcademicsServices]]:
    from dataforge.contexts.academics import consumers

    return {"academics": consumers.forget_old}


def _subscribers() -> Mapping[type[Event], Sequence[Subscriber[AcademicsServices]]]:
    from dataforge.contexts.academics import consumers

    return {
        EnrollmentChanged: (consumers.mail_enrollment_change,),
        PromotionDue: (consumers.promote_waiting,),
        LessonCompleted: (consumers.record_xapi_completion,),
    }


MODULE = Module(
    name="academics",
    services=AcademicsServices,
    routers={
        "api": dict.fromkeys(
            (
                "/api/departments",
                "/api/courses",
                "/api/semesters",
                "/api/sections",
                "/api/students",
                "/api/instructors",
                "/api/enrollments",
                "/api/rosters",
                "/api/oneroster",
            ),
            ROUTES,
        )
        | dict.fromkeys(("/ui/courses", "/ui/sections", "/ui/enrollments", "/ui/schedule"), PAGES)
    },
    jobs=_jobs,
    subscribers=_subscribers,
)
