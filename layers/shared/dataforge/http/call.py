"""One authenticated call: runs commands and queries for a route, so that a route only parses and shapes."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Concatenate, ParamSpec, Self, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from dataforge.http.addresses import own_address, this_address
from dataforge.http.encoding import dump_json
from dataforge.http.etag import expected_revision
from dataforge.http.negotiation import PRESENTATION
from dataforge.http.problems import problem_response
from dataforge.http.replay import Replayed
from dataforge.kernel.access import Action, Resource
from dataforge.kernel.errors import BadRequest, DataForgeError, Forbidden
from dataforge.kernel.paging import DEFAULT_LIMIT, Page
from dataforge.kernel.principal import SYSTEM, Principal
from dataforge.kernel.texts import Text
from dataforge.platform.access import Decisions
from dataforge.platform.db.idempotency import IdempotentRequest, StoredResponse, claim, forget, recall, store
from dataforge.platform.db.unit_of_work import Command, Result, SqlUnitOfWork, Uow
from dataforge.platform.services import Platform

P = ParamSpec("P")
Built = TypeVar("Built")
_DECISIONS = "dataforge.decisions"
# Marks, in `openapi_extra`, another method than POST that takes an Idempotency-Key.
KEYED = "x-keyed"


def platform_of(request: Request) -> Platform:
    """What the composition root built the app on."""
    platform: Platform = request.app.state.platform
    return platform


def json_response(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = "application/json"
) -> Response:
    """A JSON response; 204 has no body."""
    body = b"" if status == 204 else dump_json(value)
    return Response(body, status_code=status, headers=dict(headers or {}), media_type=media_type if body else None)


class Call:
    """One request of one principal."""

    def __init__(self, request: Request, principal: Principal) -> None:
        self.request = request
        self.principal = principal
        self.platform = platform_of(request)

    @classmethod
    def of_anybody(cls, request: Request) -> Self:
        """A request of somebody who has not signed in: sign-up, sign-in."""
        return cls(request, SYSTEM)

    def services(self, kind: type[Built]) -> Built:
        """The services of a context."""
        return self.platform.get(kind)

    @property
    def user_id(self) -> UUID:
        """The signed-in person; raises Forbidden where only the system is asking."""
        if self.principal.user_id is None:
            message = Text("This needs a signed-in person.")
            raise Forbidden(message)
        return self.principal.user_id

    @property
    def decisions(self) -> Decisions:
        """What the principal may do, as far as it was asked during this request."""
        known: Decisions | None = self.request.scope.get(_DECISIONS)
        if known is None or known.principal != self.principal:
            known = self.request.scope[_DECISIONS] = Decisions(self.platform, self.principal)
        return known

    async def can(self, action: Action, resource: Resource) -> bool:
        """Whether the principal may do this with the resource (`kernel/rules.py`)."""
        return await self.decisions.can(action, resource)

    async def require(self, action: Action, resource: Resource, missing: DataForgeError | None = None) -> None:
        """Raise unless the principal may do this with what may belong to a workspace (`Decisions.require`).

        Then a request that was answered before is answered again; routes that ask this leave it to us with
        `replays=False`.
        """
        await self.decisions.require(action, resource, missing)
        await self.replay()

    async def replay(self) -> None:
        """Answer a request that was answered before, for routes that see first whether its caller still may ask."""
        await replay_if_known(self.request, self.principal)

    def unit_of_work(self, unit_of_work: type[Uow]) -> Uow:
        """A unit of work for this caller and request, for a step that is kept whatever becomes of the request."""
        return unit_of_work(
            self.platform.database,
            principal=self.principal,
            clock=self.platform.clock,
            request_id=str(self.request.scope.get("dataforge.request_id", "")),
        )

    async def execute(
        self,
        unit_of_work: type[Uow],
        handler: Callable[[Command, Uow], Awaitable[Result]],
        command: Command,
        render: Callable[[Result], Response],
    ) -> Response:
        """Run one command in one transaction and answer; honours Idempotency-Key on POST and where it is said (KEYED).

        The handler commits by returning: this method commits after it, with the stored answer. A handler that raises
        leaves nothing behind; one that must keep its changes and yet refuse returns the refusal, and `render` makes a
        problem of it with `problem`.
        """

        async def answer(command: Command, uow: Uow) -> Response:
            return render(await handler(command, uow))

        return await self._answer(unit_of_work, answer, command)

    async def execute_and_read(
        self,
        unit_of_work: type[Uow],
        handler: Callable[[Command, Uow], Awaitable[Result]],
        command: Command,
        read: Callable[[AsyncConnection, Result], Awaitable[Response]],
    ) -> Response:
        """`execute` for an answer that is read, in the same transaction, after the handler has changed things."""

        async def answer(command: Command, uow: Uow) -> Response:
            result = await handler(command, uow)
            return await read(uow.connection, result)

        return await self._answer(unit_of_work, answer, command)

    async def _answer(
        self, unit_of_work: type[Uow], handler: Callable[[Command, Uow], Awaitable[Response]], command: Command
    ) -> Response:
        idempotent = await idempotent_request(self.request, self.principal)
        async with self.unit_of_work(unit_of_work) as uow:
            if idempotent is not None:
                known = await claim(uow.connection, idempotent)
                if known is not None:
                    return _replayed(known)
            response = await handler(command, uow)
            if idempotent is not None:
                await store(uow.connection, idempotent, _storable(response), uow.now)
            await uow.commit()
            return response

    async def answer_instead(self, work: Callable[[], Awaitable[Response]]) -> Response:
        """Do work that an answer has promised already, and give this answer instead, to repetitions too.

        After a failure the request may be repeated with its Idempotency-Key, as if it had not been sent.
        """
        idempotent = await idempotent_request(self.request, self.principal)
        try:
            response = await work()
        except BaseException:
            if idempotent is not None:
                await self._keep(idempotent, None)
            raise
        if idempotent is not None:
            await self._keep(idempotent, response)
        return response

    async def _keep(self, idempotent: IdempotentRequest, response: Response | None) -> None:
        async with self.unit_of_work(SqlUnitOfWork) as uow:
            await forget(uow.connection, idempotent)
            if response is not None:
                await store(uow.connection, idempotent, _storable(response), uow.now)
            await uow.commit()

    async def answer_unchanged(self, response: Response) -> Response:
        """Answer a POST that changed nothing (a preview); honours Idempotency-Key as `execute` does."""

        async def nothing(response: Response, _uow: SqlUnitOfWork) -> Response:
            return response

        return await self._answer(SqlUnitOfWork, nothing, response)

    async def query(
        self,
        function: Callable[Concatenate[AsyncConnection, P], Awaitable[Result]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Result:
        """Run one query function in a READ ONLY transaction."""
        async with self.platform.database.read_only() as connection:
            return await function(connection, *args, **kwargs)

    def problem(self, error: DataForgeError) -> Response:
        """The problem document of an error that is answered without being raised."""
        return problem_response(error, self.request.scope)

    def address(self, path: str, *segments: object) -> str:
        """Where the client finds one of our resources."""
        return own_address(self.request.scope, path, *segments)

    def expected_revision(self) -> str:
        """The revision in If-Match; raises PreconditionRequired when it is missing."""
        return expected_revision(self.request)

    def after(self, cursor: str | None) -> tuple[Any, ...] | None:
        """The position in a cursor of this list with these filters; None starts at the beginning."""
        return None if cursor is None else self.platform.cursors.open(self._list_scope(), cursor)

    def seal(self, key: tuple[object, ...]) -> str:
        """The cursor for a position in this list with these filters."""
        return self.platform.cursors.seal(self._list_scope(), key)

    def page_response(
        self, page: Page[Any], *, items: str = "items", limit: int = DEFAULT_LIMIT, **more: object
    ) -> Response:
        """A list answer: `{items, next_cursor, next}` and a Link header (RFC 8288) when there is more."""
        body: dict[str, object] = {items: list(page.rows), "limit": limit, **more, "next_cursor": None, "next": None}
        headers = {}
        if page.next_key is not None:
            cursor = self.seal(page.next_key)
            following = this_address(self.request.scope, cursor=cursor)
            body["next_cursor"], body["next"] = cursor, following
            headers["Link"] = f'<{following}>; rel="next"'
        return json_response(body, headers=headers)

    def _list_scope(self) -> str:
        left_out = {"cursor", "limit", *self.request.scope.get(PRESENTATION, ())}
        filters = sorted((key, value) for key, value in self.request.query_params.multi_items() if key not in left_out)
        return f"{self.request.scope['path']}?{filters}"


async def replay_if_known(request: Request, principal: Principal) -> None:
    """Raise Replayed if this Idempotency-Key has been answered, IdempotencyKeyReused if that was another request.

    Asked before anything else is looked at: what the first request changed must not refuse its repetition.
    """
    idempotent = None if _is_unkeyed(request) else await idempotent_request(request, principal)
    if idempotent is None:
        return
    async with platform_of(request).database.read_only() as connection:
        known = await recall(connection, idempotent)
    if known is not None:
        raise Replayed(_replayed(known))


def _storable(response: Response) -> StoredResponse:
    kept = {key: value for key, value in response.headers.items() if key != "content-length"}
    return StoredResponse(response.status_code, bytes(response.body), kept)


def _replayed(known: StoredResponse) -> Response:
    return Response(known.body, status_code=known.status, headers={**known.headers, "Idempotency-Replayed": "true"})


def _takes_key(request: Request) -> bool:
    extra = getattr(request.scope.get("route"), "openapi_extra", None) or {}
    return request.method == "POST" or KEYED in extra


def _is_unkeyed(request: Request) -> bool:
    """Whether the route promises nothing about keys: SQL is served by a function that may not even look for one."""
    from dataforge.http.openapi import UNKEYED

    extra: Mapping[str, object] = getattr(request.scope.get("route"), "openapi_extra", None) or {}
    return bool(extra.get(UNKEYED))


async def idempotent_request(request: Request, principal: Principal) -> IdempotentRequest | None:
    """What identifies a POST with an Idempotency-Key; None without; raises BadRequest for a key of a wrong form."""
    key = request.headers.get("idempotency-key")
    if key is None or not _takes_key(request):
        return None
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        message = Text("Idempotency-Key must be 1 to 255 printable ASCII characters.")
        raise BadRequest(message)
    query = request.scope["query_string"].decode("latin-1")
    digest = hmac.new(platform_of(request).request_key, digestmod="sha256")
    digest.update(f"{request.method}\n{request.scope['path']}?{query}\n".encode())
    digest.update(await request.body())
    return IdempotentRequest(str(principal.user_id), key, digest.hexdigest())
