"""Moves statements from the schema that their text names to the one they are run in, which needs no name."""

from collections.abc import Iterator, Sequence
from typing import Any

from dataforge.contexts.schemas.designs.domain.names import literal
from dataforge.contexts.schemas.sources.domain.judging import only_call, setting_of
from dataforge.contexts.schemas.sources.domain.source import Source
from dataforge.contexts.schemas.sources.domain.statements import Edit, Node, ReadStatement, Token, names_of, nodes
from dataforge.kernel.texts import Text

_BUILT_IN = "pg_catalog"
_COUNTERS = frozenset({"nextval", "currval", "setval"})
_NAMED_BY_LIST = {
    "CreateEnumStmt": "typeName",
    "CreateRangeStmt": "typeName",
    "CreateDomainStmt": "domainname",
    "AlterEnumStmt": "typeName",
}


def described_schema(statements: Sequence[ReadStatement]) -> str | None:
    """The schema that the text describes: the first that a definition or the search path names."""
    for statement in statements:
        named = next(_search_path(statement), None) or _defined_in(statement)
        if named is not None:
            return named
    return None


def _search_path(statement: ReadStatement) -> Iterator[str]:
    values: list[str] = []
    if statement.tag == "VariableSetStmt" and statement.tree.get("name") == "search_path":
        values = setting_of(statement)
    call = only_call(statement.tree) if statement.tag == "SelectStmt" else None
    if call is not None and call[0] == "set_config" and call[1][:1] == ["search_path"]:
        values = [part.strip().strip('"') for part in call[1][1].split(",")]
    yield from (value for value in values if value and value not in (_BUILT_IN, "$user"))


def _defined_in(statement: ReadStatement) -> str | None:
    tree = statement.tree
    if statement.tag in _NAMED_BY_LIST:
        names = names_of(tree.get(_NAMED_BY_LIST[statement.tag]))
        return names[-2] if len(names) > 1 else None
    place = tree.get("relation") or tree.get("view") or tree.get("sequence") or tree.get("into", {}).get("rel") or {}
    found = place.get("schemaname")
    return str(found) if found else None


def move(statement: ReadStatement, schema: str | None, source: Source) -> None:
    """Take the schema's name out of a statement; names in other schemas become problems."""
    columns: set[int] = set()
    for node in nodes(statement.tree):
        for location, other in _elsewhere(node, schema):
            message = Text(
                '"{other}" is another schema; a text describes one, and reads nothing outside of it', other=other
            )
            source.refuse(statement.place(location), message, "other_schema")
        if len(fields := names_of(node.get("fields"))) < 3 and fields[:1] == [schema]:
            columns.add(statement.place(node.get("location")))
        statement.edits += _moved_text(node, statement, schema, source)
    if schema is not None:
        statement.edits += _qualifiers(statement.tokens, schema, columns, source.data)


def _elsewhere(node: Node, schema: str | None) -> Iterator[tuple[int | None, str]]:
    """The other schemas that a node names."""
    location = node.get("location")
    if "relname" in node and node.get("schemaname", schema) != schema:
        yield location, str(node["schemaname"])
    if node.get("catalogname"):
        yield location, str(node["catalogname"])
    for key in ("funcname", "names", "collname", "opclass", "collation", "name"):
        names = names_of(node.get(key))
        if len(names) > 1 and names[-2] not in (_BUILT_IN, schema):
            yield location, names[-2]


def _moved_text(node: Node, statement: ReadStatement, schema: str | None, source: Source) -> Iterator[Edit]:
    """A sequence or relation that is named by a text: `nextval('public.numbers'::regclass)`."""
    constant: dict[str, Any] | None = None
    if names_of(node.get("funcname"))[-1:] and names_of(node["funcname"])[-1] in _COUNTERS:
        constant = next((item.get("A_Const") for item in node.get("args", [])), None)
    elif "typeName" in node and "arg" in node and names_of(node["typeName"].get("names"))[-1:] == ["regclass"]:
        inner = node["arg"]
        while "TypeCast" in inner:
            inner = inner["TypeCast"]["arg"]
        constant = inner.get("A_Const")
    text = (constant or {}).get("sval", {}).get("sval")
    if constant is None or not isinstance(text, str):
        return
    names = _split_name(text)
    place = statement.place(constant.get("location"))
    if len(names) < 2:
        return
    if names[-2] != schema or len(names) > 2:
        source.refuse(place, Text('"{text}" is in another schema', text=text), "other_schema")
        return
    token = next((item for item in statement.tokens if item.start == place), None)
    if token is not None:
        name = '"' + names[-1].replace('"', '""') + '"'
        yield Edit(token.start, token.end, literal(name).encode())


def _split_name(text: str) -> list[str]:
    """The parts of a name as PostgreSQL reads it from a text."""
    parts: list[str] = []
    part, quoted = "", False
    index = 0
    while index < len(text):
        char = text[index]
        if char == '"' and quoted and text[index + 1 : index + 2] == '"':
            part, index = part + '"', index + 1
        elif char == '"':
            quoted = not quoted
        elif char == "." and not quoted:
            parts, part = [*parts, part], ""
        else:
            part += char if quoted else char.lower()
        index += 1
    return [*parts, part]


def _qualifiers(tokens: Sequence[Token], schema: str, columns: set[int], data: bytes) -> Iterator[Edit]:
    """The tokens `schema .` before a name, except where the name of a table reads the same."""
    for index in range(len(tokens) - 2):
        token, dot, name = tokens[index : index + 3]
        if dot.kind != "ASCII_46" or token.start in columns or (index and tokens[index - 1].kind == "ASCII_46"):
            continue
        if _identifier(data[token.start : token.end]) == schema:
            yield Edit(token.start, name.start, b"")


def _identifier(token: bytes) -> str:
    text = token.decode()
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()
