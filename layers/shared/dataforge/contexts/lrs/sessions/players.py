"""Course players and the store: what a launch puts there, and how the statements of a session come in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from dataforge.contexts.lrs.contract import PlayerLaunch
from dataforge.contexts.lrs.sessions import commands
from dataforge.contexts.lrs.sessions.domain import MOVE_ON_ASKED, SESSION_ID, LaunchMode, MoveOn, Session
from dataforge.contexts.lrs.sessions.lms_statements import LAUNCHER, launched
from dataforge.contexts.lrs.statements.commands import AcceptStatements
from dataforge.contexts.lrs.statements.domain import StatementsBody, XapiVersion, validate_body
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.lrs.module import LrsServices


class CoursePlayers:
    """Keeps the contract's `PlayerSessions`."""

    def __init__(self, services: "LrsServices") -> None:
        self._services = services

    async def announce(self, launch: PlayerLaunch) -> None:
        """Say in the store that a lesson is launched (§9.3.1: before it is); raises QueueUnavailable."""
        now = self._services.clock.now()
        await self._accept(launched(_session(launch), launch.launch_url, launch.launch_parameters, now))

    async def open(self, connection: Any, launch: PlayerLaunch) -> None:  # noqa: ANN401 - contracts name no framework
        """Store the session and its LMS.LaunchData within the transaction of this connection."""
        from dataforge.contexts.lrs.documents.repository import Documents
        from dataforge.contexts.lrs.sessions.repository import Sessions

        now = self._services.clock.now()
        preferences = {"languagePreference": launch.language, "audioPreference": "on"}
        command = commands.NewSession(_session(launch), launch_data(launch), preferences, launch.expires_at)
        await commands.open_session(command, Sessions(connection, now), Documents(connection), now)

    async def end(self, connection: Any, session_id: UUID) -> None:  # noqa: ANN401 - as above
        """Abandon a session that has begun and not ended, within the transaction of this connection."""
        from dataforge.contexts.lrs.sessions.repository import Sessions

        now = self._services.clock.now()
        await commands.end_session(session_id, Sessions(connection, now), now)

    async def take(self, session_id: UUID, command: AcceptStatements) -> list[str]:
        """Accept the statements of a session's player; raises what its rules and the acceptor raise."""
        body = replace(command.body, statements=[_with_id(item) for item in command.body.statements])
        command = replace(command, body=body)
        if validate_body(body, version=command.version):
            return await self._services.acceptor.accept(command)  # which says what is wrong
        given = [item for item in body.statements if isinstance(item, dict)]
        taken = await run(self._work(), commands.take_statements, commands.TakeStatements(session_id, given))
        try:
            ids = await self._services.acceptor.accept(command)
        except BaseException:
            await run(self._work(), commands.give_back, taken)
            raise
        for statement in taken.decided:
            await self.send(statement)
        return ids

    async def send(self, statement: Mapping[str, object]) -> bool:
        """Have a decided statement accepted; False when that must be tried again, which the job `sessions` does."""
        try:
            await self._accept(statement)
            await run(self._work(), commands.mark_sent, UUID(str(statement["id"])))
        except Exception:  # noqa: BLE001 - it is decided and kept; what the player sent was accepted
            logger.warning("statement of a session is not sent yet", exc_info=True, statement_id=str(statement["id"]))
            return False
        return True

    async def _accept(self, statement: Mapping[str, object]) -> None:
        body = StatementsBody([dict(statement)], is_array=False)
        await self._services.acceptor.accept(AcceptStatements(body, LAUNCHER, XapiVersion.V1_0))

    def _work(self) -> LrsUnitOfWork:
        return self._services.unit_of_work(LrsUnitOfWork)


def launch_data(launch: PlayerLaunch) -> dict[str, object]:
    """The document LMS.LaunchData (§10.2). What is in its template travels with every statement of the player."""
    template = {
        "contextActivities": {"grouping": [{"id": launch.publisher_id}]},
        "extensions": {SESSION_ID: str(launch.session_id), MOVE_ON_ASKED: launch.move_on},
    }
    return {
        "contextTemplate": template,
        "launchMode": launch.launch_mode,
        "moveOn": launch.move_on,
        **({} if launch.mastery_score is None else {"masteryScore": launch.mastery_score}),
        **({} if launch.launch_parameters is None else {"launchParameters": launch.launch_parameters}),
        **({} if launch.return_url is None else {"returnURL": launch.return_url}),
    }


def _session(launch: PlayerLaunch) -> Session:
    return Session(
        session_id=launch.session_id,
        registration=launch.registration,
        activity_id=launch.activity_id,
        actor=launch.actor,
        launch_mode=LaunchMode(launch.launch_mode),
        move_on=MoveOn(launch.move_on),
        mastery_score=launch.mastery_score,
        publisher_id=launch.publisher_id,
        said={},
    )


def _with_id(statement: object) -> object:
    return {"id": str(uuid4()), **statement} if isinstance(statement, dict) else statement
