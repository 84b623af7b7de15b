"""How tutorials are wired: their services, and what they serve, hear and do."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from dataforge.contexts.tutorials.contract import TranscriptDeleted
from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.kernel.events import Event
from dataforge.platform.module import JobKind, Module, Subscriber
from dataforge.platform.services import Services

if TYPE_CHECKING:
    from dataforge.contexts.tutorials.drafts.domain import DraftEngine
    from dataforge.platform.personal_data import PersonalData

TUTORIALS = "dataforge.contexts.tutorials"


class TutorialsServices(Services):
    """The parts of tutorials."""

    @cached_property
    def engine(self) -> "DraftEngine":
        """What writes drafts, as the settings of `worker` say; masks people's data in them."""
        from dataforge.contexts.tutorials.drafts.engines import engine_of

        return engine_of(self.settings)


def _job_kinds() -> "Mapping[str, JobKind[TutorialsServices]]":
    from dataforge.contexts.tutorials.drafts import consumers

    return consumers.KINDS


def _personal_data() -> "PersonalData[TutorialsServices]":
    from dataforge.contexts.tutorials.personal_data import personal_data

    return personal_data()


def _subscribers() -> Mapping[type[Event], Sequence[Subscriber[TutorialsServices]]]:
    from dataforge.contexts.tutorials.transcripts.consumers import forget_file, forget_workspace
    from dataforge.contexts.tutorials.tutorials.consumers import forget_tutorials

    return {TranscriptDeleted: (forget_file,), WorkspaceDeleted: (forget_tutorials, forget_workspace)}


MODULE = Module(
    name="tutorials",
    services=TutorialsServices,
    routers={
        "api": dict.fromkeys(("/api/transcripts", "/api/tutorials", "/api/shared-tutorials"), f"{TUTORIALS}.routes")
        | dict.fromkeys(("/ui/transcripts", "/ui/tutorials", "/ui/shared-tutorials"), f"{TUTORIALS}.pages")
    },
    job_kinds=_job_kinds,
    personal_data=_personal_data,
    subscribers=_subscribers,
)
