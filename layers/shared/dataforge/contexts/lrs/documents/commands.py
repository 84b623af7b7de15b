"""Write documents: each decided on the stored one, which nobody else changes meanwhile."""

from dataclasses import dataclass

from dataforge.contexts.lrs.documents.domain import (
    Content,
    DocumentKey,
    DocumentSet,
    Preconditions,
    merged,
    require_met,
    require_preconditions,
)
from dataforge.contexts.lrs.statements.domain import XapiVersion
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork


@dataclass(frozen=True, slots=True)
class PutDocument:
    """Store a document in place of what is there."""

    key: DocumentKey
    content: Content
    preconditions: Preconditions
    version: XapiVersion


@dataclass(frozen=True, slots=True)
class MergeDocument:
    """Store a document, or merge it into the one that is there."""

    key: DocumentKey
    content: Content
    preconditions: Preconditions


@dataclass(frozen=True, slots=True)
class DeleteDocument:
    """Delete a document."""

    key: DocumentKey
    preconditions: Preconditions


async def put_document(command: PutDocument, uow: LrsUnitOfWork) -> None:
    """Store; raises PreconditionFailed, DocumentExists, DocumentPreconditionMissing, MalformedBody, PayloadTooLarge."""
    command.content.require_size().require_well_formed()
    stored = await uow.documents.lock(command.key)
    require_preconditions(command.key.group.resource, command.version, command.preconditions, stored)
    require_met(command.preconditions, stored, command.content)
    if stored is None or stored.content != command.content:
        await uow.documents.put(command.key, command.content)


async def merge_document(command: MergeDocument, uow: LrsUnitOfWork) -> None:
    """Merge; raises PreconditionFailed, DocumentNotMergeable, MalformedBody, PayloadTooLarge."""
    command.content.require_size()
    stored = await uow.documents.lock(command.key)
    content = merged(stored, command.content).require_size()
    require_met(command.preconditions, stored, content)
    if stored is None or stored.content != content:
        await uow.documents.put(command.key, content)


async def delete_document(command: DeleteDocument, uow: LrsUnitOfWork) -> None:
    """Delete; raises PreconditionFailed."""
    stored = await uow.documents.lock(command.key)
    require_met(command.preconditions, stored, None)
    await uow.documents.delete(command.key)


async def delete_documents(group: DocumentSet, uow: LrsUnitOfWork) -> None:
    """Delete all documents of a set (State only, Communication 2.3)."""
    await uow.documents.delete_all(group)
