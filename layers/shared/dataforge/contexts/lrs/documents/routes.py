"""The State, Activity Profile and Agent Profile resources (Communication 2.3, 2.6, 2.7)."""

from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime

from starlette.responses import Response

from dataforge.contexts.lrs.documents import commands
from dataforge.contexts.lrs.documents.domain import (
    DEFAULT_TYPE,
    Content,
    Document,
    DocumentKey,
    DocumentSet,
    Preconditions,
    Resource,
)
from dataforge.contexts.lrs.documents.repository import read_document, read_names
from dataforge.contexts.lrs.documents.sessions import require_changeable, require_own
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.contexts.lrs.xapi_protocol import XapiCall, XapiResource, xapi_json
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run


class DocumentResource(XapiResource):
    """One of the three resources: they differ in what a document belongs to, and in the names of parameters."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._is_state = resource is Resource.STATE
        self._name = "stateId" if self._is_state else "profileId"
        self._kind = Kind(resource.value)
        self._owners = tuple(
            name
            for name, belongs in (
                ("activityId", resource is not Resource.AGENT_PROFILE),
                ("agent", resource is not Resource.ACTIVITY_PROFILE),
            )
            if belongs
        )

    async def get(self, call: XapiCall) -> Response:
        """One document, or the names of all."""
        call.require(Action.READ, self._kind)
        call.check_parameters((*self._parameters, "since"))
        group = self._own_group(call)
        if self._name not in call.parameters:
            since = call.timestamp("since")
            async with call.services.database.read_only() as connection:
                return xapi_json(await read_names(connection, group, since))
        async with call.services.database.read_only() as connection:
            document = await read_document(connection, self._key(call))
        if document is None:
            message = Text("There is no document {parameters!r} here.", parameters=call.parameters[self._name][:100])
            raise NotFound(message)
        return _answer(document, call)

    async def put(self, call: XapiCall) -> Response:
        """Store a document."""
        key, content = await self._key_and_content(call)
        command = commands.PutDocument(key, content, _preconditions(call), call.version)
        await run(call.services.unit_of_work(LrsUnitOfWork), commands.put_document, command)
        # Clients take the tag for their next If-Match from here (RFC 9110 §8.8): it is stored as it was sent.
        return Response(status_code=204, headers={"ETag": f'"{content.etag}"'})

    async def post(self, call: XapiCall) -> Response:
        """Store a document, or merge it into the one that is there."""
        key, content = await self._key_and_content(call)
        command = commands.MergeDocument(key, content, _preconditions(call))
        await run(call.services.unit_of_work(LrsUnitOfWork), commands.merge_document, command)
        return Response(status_code=204)

    async def delete(self, call: XapiCall) -> Response:
        """Delete a document; all of State when none is named."""
        call.require(Action.DELETE, self._kind)
        call.check_parameters(self._parameters)
        work = call.services.unit_of_work(LrsUnitOfWork)
        if self._is_state and self._name not in call.parameters:
            group = self._own_group(call)
            require_changeable(call.credential.session, group, None)
            await run(work, commands.delete_documents, group)
        else:
            command = commands.DeleteDocument(self._changed_key(call), _preconditions(call))
            await run(work, commands.delete_document, command)
        return Response(status_code=204)

    @property
    def _parameters(self) -> tuple[str, ...]:
        return (*self._owners, self._name, *(("registration",) if self._is_state else ()))

    def _group(self, call: XapiCall) -> DocumentSet:
        group = DocumentSet(self._resource)
        if "activityId" in self._owners:
            group = replace(group, activity_id=call.activity_id())
        if "agent" in self._owners:
            group = replace(group, agent_key=call.agent_key())
        return replace(group, registration=call.uuid("registration")) if self._is_state else group

    def _own_group(self, call: XapiCall) -> DocumentSet:
        group = self._group(call)
        require_own(call.credential.session, group)
        return group

    def _key(self, call: XapiCall) -> DocumentKey:
        return DocumentKey(self._own_group(call), call.required(self._name))

    def _changed_key(self, call: XapiCall) -> DocumentKey:
        key = self._key(call)
        require_changeable(call.credential.session, key.group, key.name)
        return key

    async def _key_and_content(self, call: XapiCall) -> tuple[DocumentKey, Content]:
        call.require(Action.CHANGE, self._kind)
        call.check_parameters(self._parameters)
        key = self._changed_key(call)
        return key, Content(await call.signed_body(), call.request.headers.get("content-type") or DEFAULT_TYPE)


def _preconditions(call: XapiCall) -> Preconditions:
    headers = call.request.headers
    return Preconditions.of(headers.get("if-match"), headers.get("if-none-match"))


def _answer(document: Document, call: XapiCall) -> Response:
    headers = {"ETag": f'"{document.etag}"', "Last-Modified": http_date(document.updated_at)}
    if not replace(_preconditions(call), if_match=None).are_met(document, None):
        return Response(status_code=304, headers=headers)
    return Response(document.content.body, headers={**headers, "Content-Type": document.content.media_type})


def http_date(instant: datetime) -> str:
    """A time as HTTP headers write it (RFC 9110 §5.6.7)."""
    return format_datetime(instant, usegmt=True)
