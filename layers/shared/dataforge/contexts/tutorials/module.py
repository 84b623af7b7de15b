"""How tutorials are wired: their services, and what they serve, hear and do."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dataforge.contexts.tutorials.contract import TranscriptDeleted
from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.kernel.events import Event
from dataforge.platform.module import Module, Subscriber
from dataforge.platform.services import Services

if TYPE_CHECKING:
    from dataforge.platform.personal_data import PersonalData

TUTORIALS = "dataforge.contexts.tutorials"


class TutorialsServices(Services):
    """The parts of tutorials."""


def _personal_data() -> "PersonalData[TutorialsServices]":
    from dataforge.contexts.tutorials.personal_data import personal_data

    return personal_data()


def _subscribers() -> Mapping[type[Event], Sequence[Subscriber[TutorialsServices]]]:
    from dataforge.contexts.tutorials.transcripts.consumers import forget_file, forget_workspace

    return {TranscriptDeleted: (forget_file,), WorkspaceDeleted: (forget_workspace,)}


MODULE = Module(
    name="tutorials",
    services=TutorialsServices,
    routers={"api": dict.fromkeys(("/api/transcripts", "/api/tutorials"), f"{TUTORIALS}.routes")},
    personal_data=_personal_data,
    subscribers=_subscribers,
)
