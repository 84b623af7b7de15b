"""How tutorials are wired: their services, and what they serve, hear and do."""

from typing import TYPE_CHECKING

from dataforge.platform.module import Module
from dataforge.platform.services import Services

if TYPE_CHECKING:
    from dataforge.platform.personal_data import PersonalData

TUTORIALS = "dataforge.contexts.tutorials"


class TutorialsServices(Services):
    """The parts of tutorials."""


def _personal_data() -> "PersonalData[TutorialsServices]":
    from dataforge.contexts.tutorials.personal_data import personal_data

    return personal_data()


MODULE = Module(
    name="tutorials",
    services=TutorialsServices,
    routers={"api": dict.fromkeys(("/api/transcripts", "/api/tutorials"), f"{TUTORIALS}.routes")},
    personal_data=_personal_data,
)
