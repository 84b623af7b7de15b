"""Changes of the attributes of composite types, and range types that are made again.

Attributes come and go where the type stands. One that changes its type makes the type anew, and values get there as
texts: what goes, goes before, and what comes, comes after, so that the texts have the same parts.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

from dataforge.contexts.schemas.designs.domain.composites import attribute_definition, comment_on_attribute
from dataforge.contexts.schemas.designs.domain.model import CompositeType, Schema
from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.plans.domain.changes import Change, Risk, change
from dataforge.kernel.texts import Text


def must_cast(old: CompositeType, new: CompositeType) -> bool:
    """Whether an attribute that stays gets another type."""
    return any(
        (item.type, item.collation) != (new.attributes[name].type, new.attributes[name].collation)
        for name, item in old.attributes.items()
        if name in new.attributes
    )


def as_it_is_cast(old: CompositeType, new: CompositeType) -> CompositeType:
    """The new type with the parts that the old one has, in its order."""
    return replace(new, attributes={name: new.attributes[name] for name in old.attributes if name in new.attributes})


def attribute_changes(old: CompositeType, new: CompositeType, *, rebuilt: bool) -> Iterator[Change]:
    """What happens to attributes beside a change of type."""
    prefix, thing = f"ALTER TYPE {quoted(new.name)}", f"composite {new.name}"
    gone = [f"{prefix} DROP ATTRIBUTE {quoted(name)}" for name in old.attributes if name not in new.attributes]
    come = [item for name, item in new.attributes.items() if name not in old.attributes]
    if gone:
        reason = Text("the values of the attribute are deleted")
        yield change("drop attribute", thing, 39, *gone, risk=Risk.DESTRUCTIVE, reason=reason)
    if come:
        added = [f"{prefix} ADD ATTRIBUTE {attribute_definition(item)}" for item in come]
        said = [comment_on_attribute(new.name, item) for item in come if item.comment is not None]
        yield change("add attribute", thing, 56 if rebuilt else 44, *added, *said)
    comments = [
        comment_on_attribute(new.name, item)
        for name, item in new.attributes.items()
        if not rebuilt and name in old.attributes and old.attributes[name].comment != item.comment
    ]
    if comments:
        yield change("comment", thing, 95, *comments)


def drop_ranges(current: Schema, names: Collection[str]) -> Iterator[Change]:
    """Drop range types that are made again, their columns being texts for the time between.

    The functions that make ranges belong to PostgreSQL: they can give nobody else their name while they are there.
    """
    for item in current.ranges.values():
        if item.name not in names:
            continue
        for table in current.tables.values():
            for column in table.columns.values():
                if column.user_type in (item.name, item.multirange) and column.generated is None:
                    name, kind = quoted(column.name), "text[]" if column.type.endswith("[]") else "text"
                    sql = f"ALTER TABLE {quoted(table.name)} ALTER COLUMN {name} TYPE {kind} USING {name}::{kind}"
                    thing, where = f"column {table.name}.{column.name}", {"table": table.name, "column": column.name}
                    yield change("change type", thing, 38, sql, risk=Risk.REWRITING, lock="ACCESS EXCLUSIVE", **where)
        sql, reason = f"DROP TYPE {quoted(item.name)}", "made again under its name"
        yield change("rebuild range", f"range {item.name}", 40, sql, risk=Risk.REWRITING, reason=reason)
