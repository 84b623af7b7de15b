"""Strict reading, exact numbers, and an answer that names the place."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataforge.contexts.lrs.statements.domain import (
    InvalidJson,
    Rule,
    UnsupportedStatementBody,
    parse_body,
    parse_json,
    read_json,
    read_statement,
    to_json,
)
from dataforge.kernel.errors import DataForgeError, MalformedBody, PayloadTooLarge
from dataforge.kernel.limits import MAX_BODY_BYTES


def refused(body: bytes) -> list[tuple[str, str]]:
    with pytest.raises(InvalidJson) as caught:
        parse_json(body)
    return [(found.pointer, found.rule) for found in caught.value.violations]


def test_a_name_given_twice_is_refused_with_its_place() -> None:
    body = b'[{}, {"actor": {"name": "a", "name": "b"}, "x/y": 1, "x/y": 2}]'

    assert refused(body) == [("/1/x~1y", Rule.JSON_DUPLICATE_KEY), ("/1/actor/name", Rule.JSON_DUPLICATE_KEY)]


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_are_none_are_refused_with_their_place(word: bytes) -> None:
    assert refused(b'{"score": {"raw": ' + word + b"}}") == [("/score/raw", Rule.JSON_NUMBER)]


@pytest.mark.parametrize("number", [b"1" * 1500, b"1e4000", b"1E-4000", b"0." + b"3" * 3000, b"1e999999999999999999"])
def test_numbers_of_more_than_a_thousand_digits_are_refused(number: bytes) -> None:
    assert refused(b"[" + number + b"]") == [("/0", Rule.JSON_NUMBER)]


def test_a_nul_character_is_refused_in_values_and_names() -> None:
    body = rb'{"a": ["x\u0000y"], "b\u0000": 1, "c": "\\u0000 is text"}'

    assert sorted(refused(body)) == [("/a/0", Rule.JSON_NUL), ("/b\N{REPLACEMENT CHARACTER}", Rule.JSON_NUL)]


def test_half_a_surrogate_pair_is_refused() -> None:
    assert refused(rb'{"a": "\ud83d x", "b": "\ud83d\ude00"}') == [("/a", Rule.JSON_SURROGATE)]


def test_a_body_of_nothing_but_bad_characters_is_not_reported_without_end() -> None:
    assert len(refused(rb"[" + rb'"\u0000",' * 5000 + b"0]")) == 1000


def test_a_surrogate_pair_is_one_character() -> None:
    assert parse_json(rb'"\ud83d\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize("body", [b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\xaf"'])
def test_bytes_that_are_not_utf_8_are_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody) as caught:
        parse_json(body)

    assert caught.value.facts == {"offset": 1}


@pytest.mark.parametrize(
    ("body", "facts"),
    [
        (b"", {"line": 1, "column": 1, "offset": 0}),
        (b'{"a": 1,}', {"line": 1, "column": 9, "offset": 8}),
        ('{"ä": 1\n  "b": 2}'.encode(), {"line": 2, "column": 3, "offset": 11}),
        (b"{} {}", {"line": 1, "column": 4, "offset": 3}),
        (b'{"a": "\x00"}', {"line": 1, "column": 8, "offset": 7}),
        (b"{'a': 1}", {"line": 1, "column": 2, "offset": 1}),
        (b'{"a": NaN, "b" 1}', {"line": 1, "column": 16, "offset": 15}),
    ],
)
def test_text_that_is_not_json_is_refused_with_line_and_column(body: bytes, facts: dict[str, int]) -> None:
    with pytest.raises(MalformedBody) as caught:
        parse_json(body)

    # Python 3.13 points at a trailing comma itself, 3.11 behind it.
    assert caught.value.facts["line"] == facts["line"]
    assert abs(int(str(caught.value.facts["offset"])) - facts["offset"]) <= 1


@pytest.mark.parametrize("levels", [102, 900, 100_000])
def test_a_body_has_a_limited_depth(levels: int) -> None:
    with pytest.raises(MalformedBody, match="nested deeper than 100 levels"):
        parse_json(b"[" * levels + b"]" * levels)


def test_a_deep_body_with_a_broken_number_is_still_refused_for_one_of_them() -> None:
    with pytest.raises(MalformedBody):
        parse_json(b"[NaN," + b"[" * 100_000 + b"]" * 100_000 + b"]")


def test_a_hundred_levels_are_read() -> None:
    assert parse_json(b"[" * 100 + b"]" * 100)


def test_a_body_over_the_limit_is_not_read() -> None:
    with pytest.raises(PayloadTooLarge) as caught:
        parse_json(b" " * (MAX_BODY_BYTES + 1))

    assert caught.value.facts == {"limit_bytes": 4_194_304}


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse_json(b"\xef\xbb\xbf[]") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", Decimal(2**63)),
        ("123456789012345678901234567890", Decimal(123456789012345678901234567890)),
        ("0.1", 0.1),
        ("0.10000000000000000000", 0.1),
        ("0.1000000000000000055", Decimal("0.1000000000000000055")),
        ("12345678.123456789012345", Decimal("12345678.123456789012345")),
        ("1e400", Decimal("1e400")),
        ("1e-400", Decimal("1e-400")),
        ("-0.0", -0.0),
        ("2.5e3", 2500.0),
    ],
)
def test_a_number_is_kept_as_it_was_written(text: str, value: object) -> None:
    found = parse_json(text.encode())

    assert found == value
    assert type(found) is type(value)
    assert Decimal(to_json(found).decode()) == Decimal(text)
    assert read_json(to_json(found)) == found


def test_reading_back_trusts_what_was_accepted_once() -> None:
    assert read_json("[1e4000]") == [Decimal("1e4000")]
    assert read_json("1" * 1500) == Decimal("1" * 1500)


def test_a_stored_statement_is_an_object() -> None:
    assert read_statement('{"a": 1.50}') == {"a": 1.5}
    with pytest.raises(ValueError, match="JSON object"):
        read_statement(b"[]")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=UTF-8", 'application/json; charset="utf-8"', "application/json;"],
)
def test_json_is_read(content_type: str) -> None:
    assert parse_body(b'[{"a": 1}]', content_type).statements == [{"a": 1}]


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "multipart/form-data; boundary=x", "application/jsonp", "application/json; charset=latin1"],
)
def test_another_content_type_is_a_bad_request(content_type: str) -> None:
    with pytest.raises(UnsupportedStatementBody) as caught:
        parse_body(b"[]", content_type)

    assert caught.value.status == 400


def test_pointers_depend_on_whether_an_array_was_sent() -> None:
    assert parse_body(b"[{}, {}]", "application/json").pointer(1) == "/1"
    assert parse_body(b"{}", "application/json").pointer(0) == ""


def test_what_is_no_json_value_is_not_written() -> None:
    with pytest.raises(TypeError):
        to_json({"a": object()})


def test_a_body_of_nothing_but_mistakes_is_not_reported_without_end() -> None:
    assert len(refused(b"[" + b"NaN," * 5000 + b"0]")) == 1000


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_as_a_bad_request(body: bytes) -> None:
    refusal: DataForgeError | None = None

    try:
        parse_json(body)
    except DataForgeError as error:
        refusal = error

    assert refusal is None or refusal.status == 400


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False).filter(lambda number: abs(number.adjusted()) < 400))
def test_any_number_survives_reading_and_writing(number: Decimal) -> None:
    written = to_json(parse_json(str(number).encode()))

    assert Decimal(written.decode()) == number
