"""Casts of array literals, moved to where PostgreSQL puts them when it reads its own text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.schemas.designs.domain.printing import normal_options, normal_text

_PIECES = st.sampled_from(("(ARRAY[", "'a'", "]", ")::text[]", ")", "[", "(", ", ", "'", '"', "::", "x"))


@pytest.mark.parametrize(
    ("printed", "read_again"),
    [
        ("a > 1", "a > 1"),
        ("(ARRAY['a'::varchar, 'b'::varchar])::text[]", "ARRAY[('a'::varchar)::text, ('b'::varchar)::text]"),
        ("f((ARRAY['x'])::numeric(4,1)[])", "f(ARRAY[('x')::numeric(4,1)])"),
        ('(ARRAY[a])::"A ""b"[]', 'ARRAY[(a)::"A ""b"]'),
        ("(ARRAY['a)::text[]', ',]'])::text[]", "ARRAY[('a)::text[]')::text, (',]')::text]"),
        ("(ARRAY[f(a, b), c[1]])::text[]", "ARRAY[(f(a, b))::text, (c[1])::text]"),
        (
            "(ARRAY[b = ANY ((ARRAY['x'])::text[])])::text[]",
            "ARRAY[(b = ANY (ARRAY[('x')::text]))::text]",
        ),
        ("(ARRAY['a'])::timestamp(3) with time zone[]", "ARRAY[('a')::timestamp(3) with time zone]"),
        ("a = '(ARRAY[x])::text[]'", "a = '(ARRAY[x])::text[]'"),
        ("(ARRAY['a'])::text", "(ARRAY['a'])::text"),
        ("(a)::text = ('x'::character varying)::text", "(a)::text = 'x'::text"),
        ("('it''s'::character varying)::text[]", "('it''s'::character varying)::text[]"),
        ("'(''x''::character varying)::text'", "'(''x''::character varying)::text'"),
        ("(ARRAY[])::text[]", "(ARRAY[])::text[]"),
        ("(ARRAY['a', (ARRAY['b'])::text[]", "(ARRAY['a', ARRAY[('b')::text]"),
    ],
)
def test_a_cast_of_an_array_becomes_one_of_its_elements(printed: str, read_again: str) -> None:
    assert normal_text(printed) == read_again


@given(st.lists(_PIECES).map("".join))
def test_a_normal_text_stays_as_it_is(text: str) -> None:
    assert normal_text(normal_text(text)) == normal_text(text)


def test_options_have_one_spelling() -> None:
    options = ["security_barrier=ON", "check_option=Local", "fillfactor=70", "toast.autovacuum_enabled=0"]

    assert normal_options(options) == (
        "fillfactor=70",
        "security_barrier=true",
        "toast.autovacuum_enabled=false",
        "check_option=local",
    )
