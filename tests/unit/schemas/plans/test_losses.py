"""Which conditions find the rows that a change of type leaves with less."""

import pytest

from dataforge.contexts.schemas.plans.domain.losses import losses, plain_type


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        ("character varying(10)", "character varying"),
        ("timestamp(3) without time zone", "timestamp without time zone"),
        ("numeric(10,-2)", "numeric"),
        ("text", "text"),
    ],
)
def test_a_type_is_known_without_its_numbers(kind: str, plain: str) -> None:
    assert plain_type(kind) == plain


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("text", "character varying(3)", ["values_cut"]),
        ("integer", "character varying(3)", ["values_cut"]),
        ("text", "uuid", []),
        ("text", "boolean", []),
        ("text", "numeric(4,1)", ["values_lossy"]),
        ("json", "jsonb", ["values_lossy"]),
        ("timestamp with time zone", "timestamp without time zone", ["zone_lost"]),
        ("integer", "boolean", ["values_lossy"]),
    ],
)
def test_what_may_be_lost_follows_from_both_types(old: str, new: str, codes: list[str]) -> None:
    assert [item.code for item in losses('"a"', old, new, f'"a"::{new}', by_hint=False)] == codes


def test_other_types_are_compared_on_the_way_back_and_as_texts_where_there_is_none() -> None:
    [loss] = losses('"a"', "numeric", "integer", '"a"::integer', by_hint=False)

    assert loss.conditions == (
        '("a" IS NOT NULL AND ("a"::integer)::numeric IS DISTINCT FROM "a")',
        '("a" IS NOT NULL AND ("a"::integer)::text IS DISTINCT FROM "a"::text)',
    )


def test_an_expression_of_the_author_loses_what_becomes_null_shorter_or_rounded() -> None:
    def codes(old: str, new: str) -> list[str]:
        return [item.code for item in losses('"a"', old, new, "f(a)", by_hint=True)]

    assert codes("text", "text") == ["values_emptied", "values_lossy"]
    assert codes("numeric", "integer") == ["values_emptied", "values_lossy"]
    assert codes("text", "integer") == ["values_emptied"]
