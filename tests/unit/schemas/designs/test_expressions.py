"""Names in the expressions of targets."""

import pytest

from dataforge.contexts.schemas.designs.domain.expressions import replace_names

NAMES = {"a": "b c", "A b": "z"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a::int", '"b c"::int'),
        ("A + a", '"b c" + "b c"'),
        ("lower( a )", 'lower( "b c" )'),
        ("a(a)", 'a("b c")'),
        ("x.a", "x.a"),
        ("a.x", "a.x"),
        ("x::a", "x::a"),
        ("'a' || E'\\'a' || \"A b\"", "'a' || E'\\'a' || \"z\""),
        ('"A"', '"A"'),
        ("ab", "ab"),
    ],
)
def test_names_of_columns_are_replaced_and_nothing_else(text: str, expected: str) -> None:
    assert replace_names(text, NAMES) == expected
