"""The target format as a JSON Schema (draft 2020-12): what an editor completes and checks before anything is sent.

It knows the shape. Names that must be there, types, expressions and what PostgreSQL says of them only the service
judges, with a pointer for each.
"""

from functools import cache

from dataforge.contexts.schemas.designs.domain.json_schema import (
    EXPRESSION,
    Json,
    data_type,
    key_action,
    list_of,
    list_of_names,
    name_of_a_thing,
    name_or_none,
    object_of,
    one_of,
    one_of_words,
    said,
    sql_text,
    text_of_length,
    truth_value,
    whole_number,
)
from dataforge.contexts.schemas.designs.domain.names import MAX_NAME_BYTES

FORMAT_ID = "urn:dataforge:schema-target:1"
_MOST_STATISTICS = 10_000
_OPTIONS = {
    "type": ["object", "null"],
    "propertyNames": {"pattern": "^[A-Za-z0-9_.]+$"},
    "additionalProperties": {"type": ["boolean", "number", "string"]},
}
_ID = said("stays the same when the name changes: so a rename is a rename", type=["string", "integer", "null"])
_PREVIOUS = name_or_none("the name it has now, if it has no `id` that says so")
_COMMENT = text_of_length("what people should know about it (COMMENT ON)")
_IDENTIFIED = {
    "id": _ID,
    "name": name_of_a_thing("its name; it is quoted wherever it stands"),
    "previousName": _PREVIOUS,
}
_FREE_NAME = {"id": _ID, "name": name_or_none("its name; without one it gets PostgreSQL's")}
_DEFERRING = {
    "deferrable": truth_value("whether its check may wait until the end of a transaction", default=False),
    "initiallyDeferred": truth_value("whether it waits where nothing else is said", default=False),
}
_COUNTING = {
    "start": whole_number("the first value"),
    "increment": whole_number("how much is added each time"),
    "minimum": whole_number("the least value"),
    "maximum": whole_number("the greatest value"),
    "cache": whole_number("how many values a session takes at once", 1),
    "cycle": truth_value("whether it begins again after the last", default=False),
}
_METHODS = ("btree", "hash", "gin", "gist", "brin", "spgist")
_STATISTICS = whole_number("how much ANALYZE looks at, from 0 to 10000", 0, _MOST_STATISTICS)
_KEY = {
    "column": name_or_none("a column"),
    "expr": {**EXPRESSION, "type": ["string", "null"], "description": "or an expression"},
    "order": one_of_words("asc or desc", "asc", "desc", default="asc"),
    "nulls": one_of_words("where nulls stand", "first", "last"),
    "opclass": name_or_none("operator class, such as `text_pattern_ops`"),
    "opclassOptions": {**_OPTIONS, "description": "options of the operator class"},
    "collation": name_or_none("collation"),
}
_KEYED = {"oneOf": [{"required": ["column"]}, {"required": ["expr"]}]}
_CONSTRAINED = {
    "primaryKey": said(
        "the columns of the primary key, or an object with more about it",
        anyOf=[{"$ref": "#/$defs/primaryKey"}, {**list_of_names("columns"), "type": "array"}, {"type": "null"}],
    ),
    "uniques": list_of("unique constraints", "unique"),
    "checks": list_of("check constraints", "check"),
    "exclusions": list_of("exclusion constraints", "exclusion"),
    "indexes": list_of("indexes that no constraint brings", "index"),
}
_STORED = {
    "options": {**_OPTIONS, "description": "storage parameters, such as `fillfactor`"},
    "unlogged": truth_value("whether it is left out of the write-ahead log, and empty after a crash", default=False),
}
_WAYS = ("trash", "drop")


def _definitions() -> dict[str, Json]:
    return {
        "default": said(
            'a plain value or `{"value": …}`, which we quote, or `{"expr": …}`, an SQL expression',
            anyOf=[
                {"type": ["string", "number", "boolean", "null", "array"]},
                {
                    "type": "object",
                    "properties": {"value": {}, "expr": EXPRESSION},
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                },
            ],
        ),
        "enum": object_of(
            "an enum type",
            ("name",),
            **_IDENTIFIED,
            values=said(
                "its values, in order",
                type=["array", "null"],
                items={
                    "anyOf": [
                        {"type": "string", "minLength": 1, "maxLength": MAX_NAME_BYTES},
                        object_of("a value that had another name", ("name",), **_IDENTIFIED),
                    ]
                },
            ),
            valueMap=said(
                "for each value that goes, the one that rows with it get",
                type=["object", "null"],
                additionalProperties={"type": ["string", "null"]},
            ),
            comment=_COMMENT,
        ),
        "domain": object_of(
            "a domain: a type with rules",
            ("name", "dataType"),
            **_IDENTIFIED,
            dataType=data_type(),
            nullable=truth_value("whether it may be null", default=True),
            default={"$ref": "#/$defs/default"},
            collation=name_or_none("collation"),
            checks=list_of("what holds for each value, as `VALUE`", "check"),
            comment=_COMMENT,
        ),
        "composite": object_of(
            "a type of several attributes",
            ("name",),
            **_IDENTIFIED,
            attributes=list_of("its attributes, in order", "attribute"),
            comment=_COMMENT,
        ),
        "attribute": object_of(
            "an attribute of a composite type",
            ("name", "dataType"),
            name=name_of_a_thing("attribute"),
            dataType=data_type(),
            collation=name_or_none("collation"),
            comment=_COMMENT,
        ),
        "range": object_of(
            "a type of ranges over another type",
            ("name", "subtype"),
            **_IDENTIFIED,
            subtype=data_type(),
            opclass=name_or_none("operator class"),
            collation=name_or_none("collation"),
            subtypeDiff=name_or_none("function that tells how far two values are apart"),
            multirange=name_or_none("multirange type that goes with it"),
            comment=_COMMENT,
        ),
        "sequence": object_of(
            "a sequence of its own",
            ("name",),
            **_IDENTIFIED,
            dataType=said("smallint, integer or bigint", type=["string", "null"], default="bigint"),
            **_COUNTING,
            ownedBy=one_of("the column that it goes with", "columnReference"),
            unlogged=_STORED["unlogged"],
            comment=_COMMENT,
        ),
        "columnReference": object_of(
            "a column of a table", ("table", "column"), table=name_of_a_thing("table"), column=name_of_a_thing("column")
        ),
        "table": object_of(
            "a table",
            ("name",),
            **_IDENTIFIED,
            columns=list_of("its columns, in order", "column"),
            **_CONSTRAINED,
            comment=_COMMENT,
            **_STORED,
            partitionBy=one_of("by what its rows are divided among partitions", "partitionBy"),
            partitions=list_of("its partitions", "partition"),
            replicaIdentity=said(
                "what replication tells rows apart by",
                anyOf=[
                    {"enum": ["full", "nothing", None]},
                    object_of("a unique index", ("index",), index=name_of_a_thing("its name")),
                ],
            ),
        ),
        "column": object_of(
            "a column",
            ("name", "dataType"),
            **_IDENTIFIED,
            dataType=data_type(),
            nullable=truth_value("whether it may be null", default=True),
            primaryKey=truth_value("whether it is (part of) the primary key", default=False),
            unique=truth_value("whether no two rows have the same value", default=False),
            default={"$ref": "#/$defs/default"},
            identity=said(
                "whether it counts by itself: true, a kind, or an object with how",
                anyOf=[
                    {"type": ["boolean", "null"]},
                    {"$ref": "#/$defs/identityKind"},
                    object_of("how it counts", (), kind={"$ref": "#/$defs/identityKind"}, **_COUNTING),
                ],
            ),
            generated=said(
                "the expression that it is computed by, stored",
                anyOf=[
                    {**EXPRESSION, "type": ["string", "null"]},
                    object_of("an expression", ("expr",), expr=EXPRESSION),
                ],
            ),
            collation=name_or_none("collation"),
            comment=_COMMENT,
            using=sql_text("how old values become values of a new type (`USING`)"),
            backfill=sql_text("what rows get that have no value when it must have one"),
            storage=one_of_words("how long values are kept", "plain", "external", "extended", "main"),
            compression=one_of_words("by what long values are compressed", "pglz", "lz4"),
            statistics=_STATISTICS,
            options={**_OPTIONS, "description": "`n_distinct` and `n_distinct_inherited`"},
        ),
        "identityKind": {"enum": ["always", "byDefault", "by default", "bydefault", None]},
        "primaryKey": object_of(
            "the primary key",
            (),
            **_FREE_NAME,
            columns=list_of_names("its columns"),
            include=list_of_names("columns that its index holds beside them"),
            **_DEFERRING,
            options={**_OPTIONS, "description": "storage parameters of its index"},
            comment=_COMMENT,
        ),
        "unique": object_of(
            "a unique constraint",
            ("columns",),
            **_FREE_NAME,
            columns={**list_of_names("its columns"), "type": "array", "minItems": 1},
            nullsDistinct=truth_value("whether nulls differ from each other", default=True),
            include=list_of_names("columns that its index holds beside them"),
            **_DEFERRING,
            options={**_OPTIONS, "description": "storage parameters of its index"},
            comment=_COMMENT,
        ),
        "check": object_of(
            "a check constraint",
            ("expr",),
            **_FREE_NAME,
            expr=EXPRESSION,
            noInherit=truth_value("whether tables that inherit go without it", default=False),
            notValid=truth_value("whether rows that were there before may break it", default=False),
            comment=_COMMENT,
        ),
        "exclusion": {
            **object_of(
                "an exclusion constraint",
                (),
                **_FREE_NAME,
                method=one_of_words("access method of its index", *_METHODS, default="gist"),
                elements=said(
                    "what is compared, and by which operator",
                    type=["array", "null"],
                    items={
                        **object_of(
                            "an element", (), **_KEY, operator=said("operator", type=["string", "null"], default="=")
                        ),
                        **_KEYED,
                    },
                ),
                where=sql_text("which rows are compared"),
                definition=sql_text("or all of it as PostgreSQL prints it"),
                **_DEFERRING,
                comment=_COMMENT,
            ),
            "anyOf": [{"required": ["elements"]}, {"required": ["definition"]}],
        },
        "index": {
            **object_of(
                "an index",
                (),
                **_FREE_NAME,
                method=one_of_words("access method", *_METHODS, default="btree"),
                unique=truth_value("whether no two rows have the same keys", default=False),
                columns=list_of_names("columns, if its keys are no more than that"),
                keys=list_of("its keys", "key"),
                include=list_of_names("columns that it holds beside its keys"),
                where=sql_text("which rows it holds"),
                nullsDistinct=truth_value("whether nulls differ from each other", default=True),
                options={**_OPTIONS, "description": "storage parameters"},
                comment=_COMMENT,
            ),
            "anyOf": [{"required": ["columns"]}, {"required": ["keys"]}],
        },
        "key": {**object_of("a key of an index", (), **_KEY, statistics=_STATISTICS), **_KEYED},
        "partitionKey": {**object_of("a key of a partitioning", (), **_KEY), **_KEYED},
        "partitionBy": {
            **object_of(
                "how rows are divided",
                ("strategy",),
                strategy={"enum": ["range", "list", "hash", "RANGE", "LIST", "HASH"], "description": "how"},
                columns=list_of_names("columns, if its keys are no more than that"),
                keys=list_of("its keys", "partitionKey"),
            ),
            "anyOf": [{"required": ["columns"]}, {"required": ["keys"]}],
        },
        "partition": object_of(
            "a partition",
            ("name", "bound"),
            **_IDENTIFIED,
            bound=said("`FOR VALUES …` with literals, or `DEFAULT`", **EXPRESSION),
            partitionBy=one_of("by what its own rows are divided", "partitionBy"),
            partitions=list_of("its own partitions", "partition"),
            **_CONSTRAINED,
            comment=_COMMENT,
            **_STORED,
        ),
        "end": {
            **object_of(
                "a table and its columns",
                ("table",),
                table=said("name or id of a table", type=["string", "integer"]),
                column=name_or_none("its column"),
                columns=list_of_names("or its columns"),
            ),
            "anyOf": [{"required": ["column"]}, {"required": ["columns"]}],
        },
        "relationship": object_of(
            "a foreign key",
            ("fk", "references"),
            **_FREE_NAME,
            fk=said("the table and columns that refer", **{"$ref": "#/$defs/end"}),
            references=said("those that are referred to", **{"$ref": "#/$defs/end"}),
            onDelete=key_action("what happens when the row that is referred to goes"),
            onUpdate=key_action("what happens when its key changes"),
            onDeleteColumns=list_of_names("which columns `set null` and `set default` set; all without it"),
            match=one_of_words("simple or full", "simple", "full", default="simple"),
            **_DEFERRING,
            notValid=truth_value("whether rows that were there before may break it", default=False),
            comment=_COMMENT,
        ),
        "view": object_of(
            "a view",
            ("name", "query"),
            **_IDENTIFIED,
            query=said("a SELECT that reads this schema", type="string", minLength=1),
            materialized=truth_value("whether its rows are kept", default=False),
            options={**_OPTIONS, "description": "`security_invoker`, `security_barrier`, `check_option`, or storage"},
            columns=list_of("what is said of its columns", "viewColumn"),
            indexes=list_of("indexes of a materialized view", "index"),
            comment=_COMMENT,
        ),
        "viewColumn": object_of(
            "a column of a view",
            ("name",),
            name=name_of_a_thing("its name in the query"),
            default={"$ref": "#/$defs/default"},
            statistics=_STATISTICS,
            comment=_COMMENT,
        ),
        "statistics": object_of(
            "extended statistics (CREATE STATISTICS)",
            ("table",),
            **_FREE_NAME,
            table=name_of_a_thing("a table, partition or materialized view"),
            columns=list_of_names("columns that belong together"),
            expressions=said("expressions", type=["array", "null"], items=EXPRESSION, maxItems=8),
            kinds=said(
                "which; all without it",
                type=["array", "null"],
                items={"enum": ["ndistinct", "dependencies", "mcv"]},
            ),
            target=_STATISTICS,
            comment=_COMMENT,
        ),
        "drop": object_of(
            "something that shall go",
            ("object",),
            object=said("which, as in a plan: `column people.mail`", type="string", minLength=1),
            onDrop=one_of_words("whether it is kept in the trash for a while", *_WAYS),
        ),
    }


@cache
def target_format() -> Json:
    """The JSON Schema of a target; treat it as fixed."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": FORMAT_ID,
        "title": "Target of a schema, version 1",
        **object_of(
            "What a PostgreSQL schema shall be. Anything that is left out is not there.",
            (),
            **{"$schema": said("where this file is, for editors", type="string")},
            version=said("the version of this format", const=1),
            namespace=text_of_length("which schema a document was read from; of no effect"),
            name=text_of_length("a name for people; of no effect"),
            enums=list_of("enum types", "enum"),
            domains=list_of("domains", "domain"),
            composites=list_of("composite types", "composite"),
            ranges=list_of("range types", "range"),
            sequences=list_of("sequences of their own", "sequence"),
            tables={**list_of("tables", "table"), "maxItems": 2000},
            relationships=list_of("foreign keys", "relationship"),
            views=list_of("views and materialized views", "view"),
            statistics=list_of("extended statistics", "statistics"),
            allowDestructive=truth_value("whether a plan may lose anything", default=True),
            onlineChanges=truth_value("whether changes take forms that let others work", default=True),
            onDrop=one_of_words("where tables and columns go that are dropped", *_WAYS, default="trash"),
            drops=list_of("what shall go although something like it is new", "drop"),
        ),
        "$defs": _definitions(),
    }
