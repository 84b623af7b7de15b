"""Parts that JSON Schemas of the target format are put together from."""

from typing import Any

from dataforge.contexts.schemas.designs.domain.names import MAX_NAME_BYTES

Json = dict[str, Any]
EXPRESSION = {"type": "string", "minLength": 1, "maxLength": 10_000}
_LARGEST = 2**63 - 1


def said(description: str, **more: Any) -> Json:  # noqa: ANN401 - keywords of JSON Schema
    """Keywords with a description."""
    return {"description": description, **more}


def text_of_length(description: str, most: int = 10_000) -> Json:
    """A text of at most so many characters."""
    return said(description, type=["string", "null"], maxLength=most)


def name_of_a_thing(description: str) -> Json:
    """A name that PostgreSQL can quote."""
    return said(description, type="string", minLength=1, maxLength=MAX_NAME_BYTES, pattern=r"^[^\u0000]+$")


def name_or_none(description: str) -> Json:
    """A name that may be left out."""
    return {**name_of_a_thing(description), "type": ["string", "null"]}


def list_of_names(description: str) -> Json:
    """Names, each once."""
    return said(description, type=["array", "null"], items={"type": "string", "minLength": 1}, uniqueItems=True)


def truth_value(description: str, *, default: bool) -> Json:
    """True or false."""
    return said(description, type=["boolean", "null"], default=default)


def whole_number(description: str, least: int = -_LARGEST - 1, most: int = _LARGEST) -> Json:
    """A whole number that fits into a bigint."""
    return said(description, type=["integer", "null"], minimum=least, maximum=most)


def one_of_words(description: str, *words: str, default: str | None = None) -> Json:
    """One of some words."""
    known = said(description, enum=[*dict.fromkeys(words), None])
    return known if default is None else {**known, "default": default}


def key_action(description: str) -> Json:
    """What a foreign key does."""
    actions = ("no action", "restrict", "cascade", "set null", "set default")
    spelled = [(word, word.replace(" ", "_"), word.title().replace(" ", ""), word.upper()) for word in actions]
    return one_of_words(description, *(spelling for group in spelled for spelling in group), default="no action")


def list_of(description: str, of: str) -> Json:
    """A list of things of a definition."""
    return said(description, type=["array", "null"], items={"$ref": f"#/$defs/{of}"})


def one_of(description: str, of: str) -> Json:
    """A thing of a definition, or none."""
    return said(description, anyOf=[{"$ref": f"#/$defs/{of}"}, {"type": "null"}])


def object_of(description: str, required: tuple[str, ...], **members: Json) -> Json:
    """An object with these members and no others."""
    return said(description, type="object", required=list(required), properties=members, additionalProperties=False)


def data_type() -> Json:
    """A type of a column or domain."""
    return said(
        "a type of PostgreSQL, or an enum or domain of this schema: `VARCHAR(255)`, `integer[]`, `mood`",
        type="string",
        minLength=1,
    )


def sql_text(description: str) -> Json:
    """A text of SQL that may be left out."""
    return {**EXPRESSION, "type": ["string", "null"], "description": description}
