"""Composite and range types: reading them from a document, and the statements that make them."""

from collections.abc import Iterator

from dataforge.contexts.schemas.designs.domain.draft import Draft
from dataforge.contexts.schemas.designs.domain.model import Attribute, CompositeType, RangeType
from dataforge.contexts.schemas.designs.domain.names import literal, quoted
from dataforge.contexts.schemas.designs.domain.reading import Node
from dataforge.kernel.texts import Text

COMPOSITE = frozenset({"id", "name", "previousName", "attributes", "comment"})
_ATTRIBUTE = frozenset({"name", "dataType", "collation", "comment"})
_RANGE_MEMBERS = "id name previousName subtype opclass collation subtypeDiff multirange comment"
RANGE = frozenset(_RANGE_MEMBERS.split())


def read_composite(node: Node, draft: Draft) -> CompositeType | None:
    """A type of several attributes."""
    name = node.name()
    if name is None:
        return None
    attributes: dict[str, Attribute] = {}
    for child in node.children("attributes", _ATTRIBUTE, most=1600):
        key = child.name()
        if key is None:
            continue
        if key in attributes:
            child.refuse("name", Text('"{key}" is already an attribute of {name}', key=key, name=name), "duplicate")
        sql, _, _ = child.type("dataType", draft.own - {name})
        attributes[key] = Attribute(
            name=key,
            type=sql,
            collation=child.name("collation", required=False),
            comment=child.text("comment") or None,
        )
    return CompositeType(name=name, attributes=attributes, comment=node.text("comment") or None)


def read_range(node: Node, draft: Draft) -> RangeType | None:
    """A type of ranges over another; its multirange type has a name as well."""
    name = node.name()
    if name is None:
        return None
    sql, _, _ = node.type("subtype", draft.own - {name})
    multirange = node.name("multirange", required=False)
    if multirange is not None:
        draft.claim(node, "type", multirange, key="multirange")
    return RangeType(
        name=name,
        subtype=sql,
        opclass=node.name("opclass", required=False),
        collation=node.name("collation", required=False),
        difference=node.name("subtypeDiff", required=False),
        multirange=multirange,
        comment=node.text("comment") or None,
    )


def create_composite(item: CompositeType) -> Iterator[str]:
    """CREATE TYPE … AS, and the comments."""
    yield f"CREATE TYPE {quoted(item.name)} AS ({', '.join(map(attribute_definition, item.attributes.values()))})"
    yield from _comment(item.name, item.comment)
    for attribute in item.attributes.values():
        if attribute.comment is not None:
            yield comment_on_attribute(item.name, attribute)


def attribute_definition(attribute: Attribute) -> str:
    """Name, type and collation."""
    collation = f" COLLATE {quoted(attribute.collation)}" if attribute.collation is not None else ""
    return f"{quoted(attribute.name)} {attribute.type}{collation}"


def comment_on_attribute(owner: str, attribute: Attribute) -> str:
    """Set or remove the comment of an attribute."""
    said = "NULL" if attribute.comment is None else literal(attribute.comment)
    return f"COMMENT ON COLUMN {quoted(owner)}.{quoted(attribute.name)} IS {said}"


def create_range(item: RangeType) -> Iterator[str]:
    """CREATE TYPE … AS RANGE, and the comment."""
    options = [f"subtype = {item.subtype}"]
    if item.opclass is not None:
        options.append(f"subtype_opclass = {quoted(item.opclass)}")
    if item.collation is not None:
        options.append(f"collation = {quoted(item.collation)}")
    if item.difference is not None:
        options.append(f"subtype_diff = {quoted(item.difference)}")
    if item.multirange is not None:
        options.append(f"multirange_type_name = {quoted(item.multirange)}")
    yield f"CREATE TYPE {quoted(item.name)} AS RANGE ({', '.join(options)})"
    yield from _comment(item.name, item.comment)


def _comment(name: str, comment: str | None) -> Iterator[str]:
    if comment is not None:
        yield f"COMMENT ON TYPE {quoted(name)} IS {literal(comment)}"
