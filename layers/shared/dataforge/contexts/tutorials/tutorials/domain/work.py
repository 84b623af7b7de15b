"""The transaction that commands about tutorials happen in."""

from typing import Protocol
from uuid import UUID

from dataforge.contexts.tutorials.tutorials.domain.repositories import ShareLinkRepository, TutorialRepository
from dataforge.kernel.unit_of_work import UnitOfWork


class TutorialsWork(UnitOfWork, Protocol):
    """One transaction with the repositories of tutorials and links, in PostgreSQL or in memory."""

    @property
    def person(self) -> UUID:
        """The signed-in person; raises Forbidden where the system itself is at work."""
        ...

    @property
    def tutorials(self) -> TutorialRepository:
        """Tutorials."""
        ...

    @property
    def links(self) -> ShareLinkRepository:
        """Links to tutorials."""
        ...
