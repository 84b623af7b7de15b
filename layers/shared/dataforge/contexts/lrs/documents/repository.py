"""Documents in PostgreSQL."""

from datetime import datetime

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.documents.domain import Content, Document, DocumentKey, DocumentSet
from dataforge.contexts.lrs.tables import documents

_LOCK = text("SELECT pg_advisory_xact_lock(:key)")


async def read_document(connection: AsyncConnection, key: DocumentKey) -> Document | None:
    """A document; None when there is none."""
    columns = (
        documents.c.content,
        documents.c.content_type,
        documents.c.updated_at,
        documents.c.previous_etag,
    )
    row = (await connection.execute(select(*columns).where(documents.c.id == key.digest))).one_or_none()
    if row is None:
        return None
    return Document(Content(bytes(row.content), row.content_type), row.updated_at, row.previous_etag)


async def read_names(connection: AsyncConnection, group: DocumentSet, since: datetime | None) -> list[str]:
    """The names of the documents of a set, those stored after `since`; each once, whatever its registrations."""
    query = select(documents.c.name).where(documents.c.collection == group.digest)
    if group.registration is not None:
        query = query.where(documents.c.registration == group.registration)
    if since is not None:
        query = query.where(documents.c.updated_at > since)
    return [row.name for row in await connection.execute(query.distinct().order_by(documents.c.name))]


class Documents:
    """Documents inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, key: DocumentKey) -> Document | None:
        """The document, or that there is none, to stay so until the transaction ends."""
        await self._connection.execute(_LOCK, {"key": int.from_bytes(key.digest[:8], signed=True)})
        return await read_document(self._connection, key)

    async def put(self, key: DocumentKey, content: Content) -> None:
        """Store the content; what was there before is remembered by its tag."""
        group = key.group
        statement = insert(documents).values(
            id=key.digest,
            collection=group.digest,
            resource=group.resource.value,
            activity_id=group.activity_id,
            agent_key=group.agent_key,
            registration=group.registration,
            name=key.name,
            content=content.body,
            content_type=content.media_type,
            etag=content.etag,
            updated_at=func.clock_timestamp(),
        )
        changes = {name: statement.excluded[name] for name in ("content", "content_type", "etag", "updated_at")}
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=["id"], set_={**changes, "previous_etag": documents.c.etag})
        )

    async def delete(self, key: DocumentKey) -> None:
        """Delete a document; one that is not there is fine."""
        await self._connection.execute(delete(documents).where(documents.c.id == key.digest))

    async def delete_all(self, group: DocumentSet) -> None:
        """Delete the documents of a set."""
        statement = delete(documents).where(documents.c.collection == group.digest)
        if group.registration is not None:
            statement = statement.where(documents.c.registration == group.registration)
        await self._connection.execute(statement)
