"""DBML read into a document of the target format; mistakes are found all at once, each with its place.

The language is that of dbml.org: tables with columns, indexes and checks, partials of tables, enums, references, notes
as comments. Groups, colours and notes on the drawing are left out, and rows with a warning.
"""

from dataclasses import dataclass, field
from typing import TypeVar

from dataforge.contexts.schemas.sources.domain.grammar import Body, Document, Reader, Reference
from dataforge.contexts.schemas.sources.domain.source import Remark, Source
from dataforge.kernel.texts import Text

Part = TypeVar("Part")


@dataclass(slots=True)
class Reading:
    """A text that was read: the document, and the offset in the text of everything in it, by JSON pointer."""

    source: Source
    document: Document = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)

    def remark(self, pointer: str, message: str, rule: str) -> Remark:
        """A remark about a place in the document, at its place in the text."""
        while pointer and pointer not in self.offsets:
            pointer = pointer.rpartition("/")[0]
        line, column = self.source.at(self.offsets.get(pointer, 0))
        return Remark(line, column, message, rule)


def read_dbml(text: str) -> Reading:
    """Read DBML; raises InvalidSource with all mistakes of the language.

    What names mean is judged with the document.
    """
    source = Source(text, "dbml")
    reading = Reading(source)
    reader = Reader(source)
    reader.read()
    source.raise_problems()
    _Writer(reader, reading).write()
    source.raise_problems()
    return reading


class _Writer:
    """Makes the document of what was read."""

    def __init__(self, reader: Reader, reading: Reading) -> None:
        self._reader = reader
        self._reading = reading
        self._keys: dict[str, list[set[str]]] = {}

    def write(self) -> None:
        document = self._reading.document
        document["version"] = 1
        enums = [
            {
                "name": name,
                "values": [self._at(f"/enums/{index}/values/{n}", value, at) for n, (value, at) in enumerate(values)],
            }
            for index, (name, values, _) in enumerate(self._reader.enums)
        ]
        for index, (_, _, offset) in enumerate(self._reader.enums):
            self._reading.offsets[f"/enums/{index}"] = offset
        document["enums"] = enums
        document["tables"] = [self._table(f"/tables/{n}", *item) for n, item in enumerate(self._reader.tables)]
        references = [
            *self._reader.references,
            *(item for *_, body, _ in self._reader.tables for item in body.references),
        ]
        references.sort(key=lambda item: item.offset)
        document["relationships"] = [
            self._relationship(f"/relationships/{index}", item) for index, item in enumerate(references)
        ]

    def _at(self, pointer: str, value: Part, offset: int) -> Part:
        self._reading.offsets[pointer] = offset
        return value

    def _table(self, pointer: str, name: str, note: str | None, body: Body, offset: int) -> Document:
        columns = [
            self._at(f"{pointer}/columns/{index}", column, at) for index, (column, at) in enumerate(body.columns)
        ]
        table: Document = {"name": name, "columns": columns}
        keys = [{column["name"]} for column in columns if column.get("primaryKey") or column.get("unique")]
        indexes: list[Document] = []
        members: Document
        uniques: list[Document] = []  # those that name no method are constraints, as we write them
        for index, at in body.indexes:
            plain = [key["column"] for key in index["keys"] if "column" in key]
            if index.pop("pk", False):
                for column in columns:
                    column.pop("primaryKey", None)
                table["primaryKey"] = {
                    "columns": plain,
                    **{key: index[key] for key in ("name", "comment") if key in index},
                }
                keys.append(set(plain))
                self._reading.offsets[f"{pointer}/primaryKey"] = at
                continue
            if index.get("unique"):
                keys.append(set(plain))
            if index.get("unique") and "method" not in index and len(plain) == len(index["keys"]):
                members = {key: index[key] for key in ("name", "comment") if key in index}
                uniques.append(self._at(f"{pointer}/uniques/{len(uniques)}", {"columns": plain, **members}, at))
                continue
            indexes.append(self._at(f"{pointer}/indexes/{len(indexes)}", index, at))
        if uniques:
            table["uniques"] = uniques
        if indexes:
            table["indexes"] = indexes
        if body.checks:
            table["checks"] = [
                self._at(f"{pointer}/checks/{n}", check, at) for n, (check, at) in enumerate(body.checks)
            ]
        if note is not None:
            table["comment"] = note
        self._keys[name] = keys
        return self._at(pointer, table, offset)

    def _relationship(self, pointer: str, item: Reference) -> Document:
        ends = [(self._reader.aliases.get(table, table), columns) for table, columns in (item.left, item.right)]
        if item.sign == "<>":
            message = Text("many to many needs a table between the two: write it, with a reference to each")
            self._reading.source.refuse(item.offset, message, "many_to_many")
        if item.sign == "<" or (item.sign == "-" and not item.inline and not self._unique(*ends[1])):
            ends.reverse()
        (table, columns), (other, other_columns) = ends
        found: Document = {
            "fk": {"table": table, "columns": columns},
            "references": {"table": other, "columns": other_columns},
        }
        if item.name is not None:
            found["name"] = item.name
        if item.settings.get("delete"):
            found["onDelete"] = item.settings["delete"]
        if item.settings.get("update"):
            found["onUpdate"] = item.settings["update"]
        return self._at(pointer, found, item.offset)

    def _unique(self, table: str, columns: list[str]) -> bool:
        return set(columns) in self._keys.get(table, [])
