"""The language of DBML: a text as the tables, enums and references it names; mistakes are found all at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from dataforge.contexts.schemas.sources.domain.cursor import Cursor, Unreadable
from dataforge.contexts.schemas.sources.domain.source import Source
from dataforge.kernel.texts import Text

Document = dict[str, Any]
_ACTIONS = ("cascade", "restrict", "set null", "set default", "no action")
_COLUMN_SETTINGS = (
    *("pk", "primary key", "null", "not null", "unique", "increment", "default", "note", "ref", "check"),
    "collate",
)


@dataclass(slots=True)
class Reference:
    """A reference as it is written: two ends of (table, columns), the sign between, and its settings."""

    offset: int
    left: tuple[str, list[str]]
    sign: str
    right: tuple[str, list[str]]
    name: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    inline: bool = False


@dataclass(slots=True)
class Body:
    """What stands between the braces of a table."""

    columns: list[tuple[Document, int]] = field(default_factory=list)
    indexes: list[tuple[Document, int]] = field(default_factory=list)
    checks: list[tuple[Document, int]] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    note: str | None = None


class Reader(Cursor):
    """Reads a text from its first token to its last."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.tables: list[tuple[str, str | None, Body, int]] = []
        self.partials: dict[str, Body] = {}
        self.enums: list[tuple[str, list[tuple[str, int]], int]] = []
        self.references: list[Reference] = []
        self.aliases: dict[str, str] = {}
        self._schema: str | None = None

    def read(self) -> None:
        """Read all; after a mistake goes on behind the braces or at the next line."""
        kinds: dict[str, Callable[[], None]] = {
            "table": self._table,
            "tablepartial": self._partial,
            "enum": self._enum,
            "ref": self._reference,
            "project": self.skip_block,
            "tablegroup": self.skip_block,
            "note": self.skip_block,
            "diagramview": self.skip_block,
            "records": self._records,
        }
        while self.next.kind != "end":
            self.lines()
            if self.next.kind == "end":
                return
            token = self.next
            read = kinds.get(token.value.lower()) if token.kind == "word" else None
            if read is None:
                near = get_close_matches(token.value.lower(), list(kinds), n=1)
                meant = f', did you mean "{near[0].capitalize()}"?' if near else ""
                self.fail(Text("Table, Enum or Ref{meant}", meant=meant))
                self.skip_line()
                continue
            self.take()
            try:
                read()
            except Unreadable:
                self.skip_line()

    def _records(self) -> None:
        self.source.warn(self.next.offset, Text("rows are no part of a schema: they are left out"), "rows")
        self.skip_block()

    def _qualified(self, what: str) -> str:
        """A name that may stand behind the one schema of the text."""
        at, name = self.next.offset, self.name(what)
        if self.accept("."):
            schema, name = name, self.name(what)
            self._schema = self._schema or schema
            if schema != self._schema:
                message = Text(
                    '"{schema}" is another schema than "{schema_2}"; a text describes one',
                    schema=schema,
                    schema_2=self._schema,
                )
                self.source.refuse(at, message, "other_schema")
        return name

    def _table(self) -> None:
        offset, name = self.next.offset, self._qualified("the name of a table")
        if self.accept("as"):
            self.aliases[self.name("an alias")] = name
        body = Body()
        if self.next.says("["):
            body.note = self.settings(("note", "headercolor")).get("note", (None,))[0]
        self._body(name, body)
        self.tables.append((name, body.note, body, offset))

    def _partial(self) -> None:
        name, body = self.name("the name of a partial"), Body()
        if self.next.says("["):
            self.settings(("note", "headercolor"))
        self._body("", body)
        self.partials[name] = body

    def _body(self, table: str, body: Body) -> None:
        def element() -> None:
            token = self.next
            if self.accept("~"):
                partial = self.partials.get(self.name("the name of a partial"))
                if partial is None:
                    self.source.refuse(
                        token.offset, Text("there is no partial of this name above"), "unknown_reference"
                    )
                else:
                    _put_in(partial, body, table)
            elif token.says("indexes") and self.after.says("{"):
                self.take()
                self.block(lambda: self._index(body))
            elif token.says("checks") and self.after.says("{"):
                self.take()
                self.block(lambda: self._check(body))
            elif token.says("note") and self.after.says(":", "{"):
                self.take()
                body.note = self._note()
            else:
                self._column(table, body)

        self.block(element)

    def _note(self) -> str:
        if self.accept(":"):
            return self.text("a note")
        self.expect("{")
        self.lines()
        text = self.text("a note")
        self.lines()
        self.expect("}")
        return text

    def _column(self, table: str, body: Body) -> None:
        offset, name = self.next.offset, self.name("the name of a column")
        column: Document = {"name": name, "dataType": self._type()}
        while self.next.says("pk", "unique"):
            column["primaryKey" if self.take().value.lower() == "pk" else "unique"] = True
        if self.next.says("["):
            self._column_settings(table, column, body, offset)
        if not self.next.says("}") and self.next.kind not in ("line", "end"):
            raise self.fail(Text("the end of the line"))
        body.columns.append((column, offset))

    def _type(self) -> str:
        """A type: `varchar(10)`, `numeric(10, 2)[]`, `"double precision"`, `timestamp with time zone`."""
        words = [self._qualified("a type")]
        while self.next.kind == "word" and not self.next.says("pk", "unique"):
            words.append(self.take().value)
        found = " ".join(words)
        if self.accept("("):
            inner = []
            while not self.next.says(")"):
                if self.next.kind not in ("number", "word", "text") and not self.next.says(","):
                    raise self.fail('")"')
                inner.append(self.take().value)
            self.take()
            found += f"({''.join(inner)})"
            while self.next.kind == "word" and not self.next.says("pk", "unique"):
                found += f" {self.take().value}"
        while self.next.says("[") and self.after.says("]"):
            self.take()
            self.take()
            found += "[]"
        return found

    def _column_settings(self, table: str, column: Document, body: Body, offset: int) -> None:
        self.expect("[")
        while True:
            self.lines()
            at, name = self.next.offset, self.setting_name()
            self._column_setting(name, at, (table, column), body)
            self.lines()
            if self.accept("]"):
                break
            self.expect(",")
        for check in column.pop("checks", []):
            body.checks.append(({"expr": check}, offset))

    def _column_setting(self, name: str, at: int, owner: tuple[str, Document], body: Body) -> None:
        table, column = owner
        plain = {
            "pk": ("primaryKey", True),
            "primary key": ("primaryKey", True),
            "unique": ("unique", True),
            "not null": ("nullable", False),
            "null": ("nullable", True),
            "increment": ("identity", True),
        }
        if name in plain:
            key, value = plain[name]
            column[key] = value
            return
        if name not in _COLUMN_SETTINGS:
            near = get_close_matches(name, _COLUMN_SETTINGS, n=1)
            meant = f', did you mean "{near[0]}"?' if near else ""
            self.source.refuse(at, Text('unknown setting "{name}"{meant}', name=name, meant=meant), "unknown_member")
            if self.accept(":"):
                self.value()
            return
        self.expect(":")
        self.lines()
        if name == "note":
            column["comment"] = self.text("a note")
        elif name == "default":
            column["default"] = self._default()
        elif name == "check":
            column.setdefault("checks", []).append(self.value())
        elif name == "collate":
            column["collation"] = self.value()
        else:
            sign = self._sign()
            body.references.append(Reference(at, (table, [column["name"]]), sign, self._end(), inline=True))

    def _default(self) -> Any:  # noqa: ANN401 - a default of the target format
        kind, value = self.next.kind, self.value()
        if kind == "code":
            return {"expr": value}
        if kind in ("text", "long", "name"):
            return {"value": value}
        if value.lower() in ("true", "false", "null"):
            return {"value": {"true": True, "false": False, "null": None}[value.lower()]}
        if kind == "number" or value.lstrip("+-").replace(".", "", 1).isdigit():
            return {"expr": value}
        return {"value": value.rpartition(".")[2]}

    def _sign(self) -> str:
        if not self.next.says("<", ">", "-", "<>"):
            raise self.fail(Text('one of ">", "<" and "-"'))
        return self.take().value

    def _end(self) -> tuple[str, list[str]]:
        """An end of a reference: `table.column`, `schema.table.column` or `table.(a, b)`."""
        at, parts = self.next.offset, [self.name("a table")]
        while self.accept("."):
            if self.accept("("):
                columns = [self.name("a column")]
                while self.accept(","):
                    columns.append(self.name("a column"))
                self.expect(")")
                return self._table_of(parts, at), columns
            parts.append(self.name("a column"))
        if len(parts) < 2:
            raise self.fail(Text('"." and a column'))
        return self._table_of(parts[:-1], at), parts[-1:]

    def _table_of(self, parts: list[str], at: int) -> str:
        if len(parts) > 1:
            self._schema = self._schema or parts[0]
            if parts[0] != self._schema or len(parts) > 2:
                self.source.refuse(
                    at, Text('"{parts}" is another schema; a text describes one', parts=parts[0]), "other_schema"
                )
        return parts[-1]

    def _reference(self) -> None:
        name = None if self.next.says(":", "{") else self.name("the name of a reference")
        if self.accept(":"):
            self.references.append(self._one_reference(name))
            return
        self.block(lambda: self.references.append(self._one_reference(name)))

    def _one_reference(self, name: str | None) -> Reference:
        offset, left = self.next.offset, self._end()
        sign, right = self._sign(), self._end()
        settings: dict[str, str] = {}
        if self.next.says("["):
            for key, (value, token) in self.settings(("delete", "update", "color", "inactive")).items():
                if key in ("delete", "update") and (value or "").lower() not in _ACTIONS:
                    message = Text("unknown action; choose from {actions}", actions=", ".join(_ACTIONS))
                    self.source.refuse(token.offset, message, "choice")
                settings[key] = (value or "").lower()
        return Reference(offset, left, sign, right, name, settings)

    def _index(self, body: Body) -> None:
        offset = self.next.offset
        keys = []
        if self.accept("("):
            keys.append(self._key())
            while self.accept(","):
                keys.append(self._key())
            self.expect(")")
        else:
            keys.append(self._key())
        index: Document = {"keys": keys}
        if self.next.says("["):
            for name, (value, _) in self.settings(("unique", "pk", "primary key", "name", "type", "note")).items():
                members = {"unique": "unique", "pk": "pk", "primary key": "pk", "name": "name", "type": "method"}
                index[members.get(name, "comment")] = True if value is None else value
        body.indexes.append((index, offset))

    def _key(self) -> Document:
        if self.next.kind == "code":
            return {"expr": self.take().value}
        return {"column": self.name("a column")}

    def _check(self, body: Body) -> None:
        offset = self.next.offset
        if self.next.kind != "code":
            raise self.fail(Text("an expression in backticks"))
        check: Document = {"expr": self.take().value}
        if self.next.says("["):
            for name, (value, _) in self.settings(("name", "note")).items():
                check["name" if name == "name" else "comment"] = value
        body.checks.append((check, offset))

    def _enum(self) -> None:
        offset, name = self.next.offset, self._qualified("the name of an enum")
        values: list[tuple[str, int]] = []

        def value() -> None:
            token = self.next
            values.append((self.name("a value"), token.offset))
            if self.next.says("[") and self.settings(("note",)):
                self.source.warn(token.offset, Text("PostgreSQL keeps no notes of the values of enums"), "left_out")

        self.block(value)
        self.enums.append((name, values, offset))


def _put_in(partial: Body, body: Body, table: str) -> None:
    body.columns += [(dict(column), offset) for column, offset in partial.columns]
    body.indexes += [(dict(index), offset) for index, offset in partial.indexes]
    body.checks += partial.checks
    for item in partial.references:
        left = (table, item.left[1])
        body.references.append(Reference(item.offset, left, item.sign, item.right, inline=True))
    body.note = body.note or partial.note
