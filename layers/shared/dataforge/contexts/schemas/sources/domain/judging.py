"""Which statements of a text are run in the scratch schema: those that make or change what the target format describes.

Statements about rows, owners and rights are left out with a warning. All others are refused: what runs code or reaches
out of the schema, and what the format cannot say.
"""

from collections.abc import Iterator

from dataforge.contexts.schemas.sources.domain.source import Source
from dataforge.contexts.schemas.sources.domain.statements import Edit, Node, ReadStatement, names_of, nodes
from dataforge.kernel.texts import Text

_RUN_TAGS = (
    "CreateStmt ViewStmt IndexStmt CreateSeqStmt AlterSeqStmt CreateEnumStmt AlterEnumStmt CreateDomainStmt "
    "AlterDomainStmt CreateTableAsStmt AlterTableStmt CommentStmt RenameStmt DropStmt CreateStatsStmt AlterStatsStmt "
    "CompositeTypeStmt CreateRangeStmt"
)
_RUN = frozenset(_RUN_TAGS.split())
_LEFT_OUT = {
    "InsertStmt": ("rows", Text("rows are no part of a schema: the statement is left out")),
    "CopyStmt": ("rows", Text("rows are no part of a schema: the statement is left out")),
    "GrantStmt": ("rights", Text("rights are those of the workspace: the statement is left out")),
    "AlterDefaultPrivilegesStmt": ("rights", Text("rights are those of the workspace: the statement is left out")),
    "AlterOwnerStmt": ("owner", Text("the owner is the workspace: the statement is left out")),
    "CreateExtensionStmt": ("extension", Text("extensions are not made here: the statement is left out")),
}
_SILENT = frozenset({"RefreshMatViewStmt"})
_REFUSED = {
    "CreateFunctionStmt": Text("functions and procedures run code; they are no part of the format"),
    "DoStmt": Text("DO runs code"),
    "CallStmt": Text("CALL runs code"),
    "CreateTrigStmt": Text("triggers run code; they are no part of the format"),
    "CreateEventTrigStmt": Text("triggers run code; they are no part of the format"),
    "RuleStmt": Text("rules run code; they are no part of the format"),
    "CreatePolicyStmt": Text("policies are no part of the format"),
    "DefineStmt": Text("of types, only enums, domains, composite and range types are part of the format"),
    "CreateForeignTableStmt": Text("foreign tables reach out of the schema"),
    "AlterObjectSchemaStmt": Text("nothing moves to another schema"),
    "DeleteStmt": Text("rows are not changed here"),
    "UpdateStmt": Text("rows are not changed here"),
    "TruncateStmt": Text("rows are not changed here"),
    "MergeStmt": Text("rows are not changed here"),
}
_ALTERATION_KINDS = (
    "AT_AddColumn AT_ColumnDefault AT_DropNotNull AT_SetNotNull AT_DropExpression AT_SetStatistics AT_SetOptions "
    "AT_ResetOptions AT_SetStorage AT_SetCompression AT_DropColumn AT_AddConstraint AT_AlterConstraint "
    "AT_ValidateConstraint AT_DropConstraint AT_AlterColumnType AT_SetLogged AT_SetUnLogged AT_SetRelOptions "
    "AT_ResetRelOptions AT_AttachPartition AT_DetachPartition AT_AddIdentity AT_SetIdentity AT_DropIdentity "
    "AT_SetExpression"
)
_ALTERATIONS = frozenset(_ALTERATION_KINDS.split())
_ALTERATIONS_LEFT_OUT = {
    "AT_ChangeOwner": ("owner", Text("the owner is the workspace: the statement is left out")),
    "AT_ClusterOn": (
        "cluster",
        Text("the order of rows on the disk is no part of the format: the statement is left out"),
    ),
    "AT_DropCluster": (
        "cluster",
        Text("the order of rows on the disk is no part of the format: the statement is left out"),
    ),
    "AT_ReplicaIdentity": ("replica", Text("the replica identity is no part of the format: the statement is left out")),
}
_ALTERED = frozenset({"OBJECT_TABLE", "OBJECT_INDEX", "OBJECT_SEQUENCE", "OBJECT_VIEW", "OBJECT_MATVIEW"})
_OBJECT_NAMES = "TABLE COLUMN TABCONSTRAINT DOMCONSTRAINT DOMAIN TYPE INDEX SEQUENCE VIEW MATVIEW STATISTIC_EXT"
_OBJECTS = frozenset(f"OBJECT_{name}" for name in _OBJECT_NAMES.split())
# What dumps set before they begin, which is nothing to us.
_SETTING_NAMES = (
    "statement_timeout lock_timeout idle_in_transaction_session_timeout transaction_timeout client_encoding "
    "check_function_bodies xmloption client_min_messages row_security default_tablespace default_with_oids "
    "default_table_access_method standard_conforming_strings search_path escape_string_warning timezone"
)
_SETTINGS = frozenset(_SETTING_NAMES.split())


def judge(statement: ReadStatement, source: Source) -> bool:
    """Whether the statement is to be run; what is left out or refused is remarked in the source."""
    tag = statement.tag
    if tag in _LEFT_OUT:
        rule, message = _LEFT_OUT[tag]
        source.warn(statement.start, message, rule)
        return False
    if tag in _SILENT:
        return False
    if tag not in _RUN:
        return _judge_surroundings(statement, source)
    problems = list(_problems(statement))
    for location, problem, rule in problems:
        source.refuse(statement.place(location), problem, rule)
    if tag == "AlterTableStmt" and not problems:
        return _judge_owner(statement, source)
    return not problems


def _judge_surroundings(statement: ReadStatement, source: Source) -> bool:
    """Statements around a schema: settings, transactions, the schema itself."""
    tag, tree, at = statement.tag, statement.tree, statement.start
    if tag == "VariableSetStmt":
        _judge_setting(statement, source)
    elif tag == "SelectStmt" and (call := only_call(tree)) is not None and call[0] in ("set_config", "setval"):
        if call[0] == "setval":
            source.warn(at, Text("where sequences stand is no part of a schema: the statement is left out"), "rows")
    elif tag == "TransactionStmt":
        if tree.get("kind") not in ("TRANS_STMT_BEGIN", "TRANS_STMT_START", "TRANS_STMT_COMMIT"):
            source.refuse(at, Text("of transactions, only BEGIN and COMMIT are understood"), "transaction")
    elif tag == "CreateSchemaStmt" and not tree.get("schemaElts"):
        source.warn(at, Text("the schema is that of the workspace: the statement is left out"), "schema")
    else:
        words = Text(
            "{removesuffix} statements are no part of the format", removesuffix=statement.tag.removesuffix("Stmt")
        )
        source.refuse(at, _REFUSED.get(tag, Text("queries are not run") if tag == "SelectStmt" else words), "statement")
    return False


def _judge_setting(statement: ReadStatement, source: Source) -> None:
    name = str(statement.tree.get("name", ""))
    if name == "standard_conforming_strings" and setting_of(statement) in (["off"], ["false"]):
        source.refuse(statement.start, Text("standard_conforming_strings must stay on"), "setting")
    elif name not in _SETTINGS:
        source.warn(statement.start, Text('the setting "{name}" is left out', name=name), "setting")


def setting_of(statement: ReadStatement) -> list[str]:
    """The values of a SET."""
    found = [item.get("A_Const", {}) for item in statement.tree.get("args", [])]
    return [str(item.get("sval", {}).get("sval", item.get("boolval", ""))) for item in found]


def only_call(tree: Node) -> tuple[str, list[str]] | None:
    """The function that a SELECT calls if it does nothing else, and the texts it is given."""
    targets = tree.get("targetList", [])
    if len(targets) != 1 or tree.get("fromClause"):
        return None
    call = targets[0].get("ResTarget", {}).get("val", {}).get("FuncCall")
    if not call:
        return None
    texts = [item.get("A_Const", {}).get("sval", {}).get("sval", "") for item in call.get("args", [])]
    return names_of(call["funcname"])[-1], texts


def _judge_owner(statement: ReadStatement, source: Source) -> bool:
    """Whether anything is left of an ALTER TABLE without its parts about owners and the like."""
    kinds = [item["AlterTableCmd"]["subtype"] for item in statement.tree["cmds"]]
    left_out = [kind for kind in kinds if kind in _ALTERATIONS_LEFT_OUT]
    if not left_out:
        return True
    rule, message = _ALTERATIONS_LEFT_OUT[left_out[0]]
    if len(left_out) < len(kinds):
        source.refuse(statement.start, Text("write what is left out and what is not as two statements"), rule)
    else:
        source.warn(statement.start, message, rule)
    return False


_Found = Iterator[tuple[int | None, str, str]]


def _problems(statement: ReadStatement) -> _Found:
    tree = statement.tree
    for node in nodes(tree):
        if node.get("relpersistence") == "t":
            yield node.get("location"), Text("temporary things are no part of the format"), "temporary"
        for key in ("bound", "partbound"):
            if isinstance(node.get(key), dict) and not _plain_bound(node[key]):
                yield node[key].get("location"), Text("the bound of a partition must be literals"), "bound"
        if node.get("tablespacename") or node.get("tableSpace") or node.get("indexspace"):
            yield None, Text("tablespaces are no part of the format"), "tablespace"
    if statement.tag == "CreateStmt":
        yield from _problems_of_table(tree)
    elif statement.tag == "CreateTableAsStmt":
        if tree.get("objtype") != "OBJECT_MATVIEW":
            yield None, "CREATE TABLE AS runs a query; write the columns", "query"
    elif statement.tag == "AlterTableStmt":
        yield from _problems_of_alteration(tree)
    elif statement.tag in ("CommentStmt", "DropStmt", "RenameStmt"):
        kind = str(tree.get("objtype") or tree.get("removeType") or tree.get("renameType"))
        if kind not in _OBJECTS:
            words = kind.removeprefix("OBJECT_").lower().replace("_", " ")
            yield None, Text("a statement about a {words} is not understood here", words=words), "statement"


def _problems_of_table(tree: Node) -> _Found:
    if tree.get("inhRelations") and not tree.get("partbound"):
        yield None, Text("inheritance is no part of the format; partitions are"), "inheritance"
    if tree.get("ofTypename"):
        yield None, Text("tables of a composite type are no part of the format"), "composite"
    if tree.get("accessMethod") not in (None, "heap"):
        yield (
            None,
            Text('the table access method "{accessMethod}" is not there', accessMethod=tree["accessMethod"]),
            "access_method",
        )
    if tree.get("partbound") and any("Constraint" not in item for item in tree.get("tableElts", [])):
        yield None, Text("what a partition says of its parent's columns is no part of the format"), "partition"


def _problems_of_alteration(tree: Node) -> _Found:
    if tree.get("objtype") not in _ALTERED:
        yield None, "this ALTER is no part of the format", "statement"
    for item in tree.get("cmds", []):
        kind = item["AlterTableCmd"]["subtype"]
        if kind not in _ALTERATIONS and kind not in _ALTERATIONS_LEFT_OUT:
            words = "".join(f" {char.lower()}" if char.isupper() else char for char in kind.removeprefix("AT_"))
            yield None, Text('"{words}" is no part of the format', words=words.strip()), "alteration"


def _plain_bound(bound: Node) -> bool:
    datums = [item for key in ("listdatums", "lowerdatums", "upperdatums") for item in bound.get(key, [])]
    return all(_literal(item) for item in datums)


def _literal(item: Node) -> bool:
    """A constant, with a sign or a cast, or MINVALUE and MAXVALUE: bounds are computed the moment they are read."""
    if "TypeCast" in item:
        return _literal(item["TypeCast"]["arg"])
    if "A_Expr" in item:
        inner = item["A_Expr"]
        return names_of(inner.get("name")) in (["-"], ["+"]) and "lexpr" not in inner and _literal(inner["rexpr"])
    if "ColumnRef" in item:
        return names_of(item["ColumnRef"]["fields"]) in (["minvalue"], ["maxvalue"])
    return "A_Const" in item


def prepare(statement: ReadStatement) -> None:
    """Change what cannot be run as it is: nothing is built concurrently in a transaction, no query is run for rows."""
    statement.edits += [
        Edit(token.start, token.end, b"") for token in statement.tokens[:4] if token.kind == "CONCURRENTLY"
    ]
    if statement.tag == "CreateTableAsStmt" and not statement.tree["into"].get("skipData"):
        last = statement.tokens[-2:]
        start = last[0].start if [item.kind for item in last] == ["WITH", "DATA_P"] else statement.end
        statement.edits.append(Edit(start, statement.end, b" WITH NO DATA"))


def calls_of(statement: ReadStatement) -> Iterator[tuple[str, int]]:
    """The functions that a statement calls by name, and where."""
    for node in nodes(statement.tree):
        if "funcname" in node:
            yield names_of(node["funcname"])[-1], statement.place(node.get("location"))
