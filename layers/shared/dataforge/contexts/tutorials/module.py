"""How tutorials are wired."""

from dataforge.platform.module import Module
from dataforge.platform.services import Services


class TutorialsServices(Services):
    """The parts of tutorials."""


MODULE = Module(name="tutorials", services=TutorialsServices)
