"""Decimals with more digits than a type has are refused, however deep the digits lie."""

from decimal import Context, Decimal

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from versioned_tables.errors import OperationRefused
from versioned_tables.format.keys import column_from_json
from versioned_tables.schema.arrow_types import to_arrow
from versioned_tables.schema.columns import Column
from versioned_tables.schema.conversion import converted
from versioned_tables.schema.decimals import from_text
from versioned_tables.schema.inference import convert

DEEP = ["1e-77", "2.5e-60", "2.4546752725409893e-123", "0." + "0" * 76 + "1", "1E-300", "-1e-39"]


@pytest.mark.parametrize("text", DEEP)
@pytest.mark.parametrize("type_", ["decimal(10,2)", "decimal(38,2)", "decimal(38,38)"])
def test_digits_that_a_type_has_no_room_for_never_become_zero(text: str, type_: str) -> None:
    assert convert(pa.array([text]), type_, lenient=True) is None
    assert converted(pa.chunked_array([[text]]), "string", type_) is None
    assert converted(pa.chunked_array([[float(text)]]), "float", type_) is None
    with pytest.raises(OperationRefused, match="does not fit column 'x'"):
        column_from_json([text], Column("x", "x", type_, nullable=True))


@pytest.mark.parametrize("type_", ["int", "decimal(38,0)", "decimal(30,10)", "string", "float"])
@pytest.mark.parametrize("number", [604615150342, 7877268910783350, -722881303680])
def test_numbers_that_a_type_has_no_room_for_never_become_others(number: int, type_: str) -> None:
    kind = to_arrow(type_)
    read = {"int": int, "float": float, "string": str}.get(type_, Decimal)
    values = pa.chunked_array([pa.array([read(number)], kind)])

    assert converted(values, type_, "decimal(38,36)") is None
    assert converted(values, type_, "decimal(38,16)") is not None


@pytest.mark.parametrize(
    ("text", "value"), [("0e-99", "0"), ("100e-20", "1e-18"), ("1." + "0" * 60, "1"), (None, None)]
)
def test_digits_that_are_zeros_cost_nothing(text: str | None, value: str | None) -> None:
    found = from_text(pa.array(["1.5", text]), pa.decimal128(38, 20))

    assert found.to_pylist() == [Decimal("1.5"), None if value is None else Decimal(value)]


@given(st.integers(-(10**38) + 1, 10**38 - 1), st.integers(-120, 40), st.integers(0, 38))
@example(1, -77, 2)
@example(25, -61, 2)
@example(72288130368, 22, 14)
@example(7877268910783350000000, 0, 37)
def test_a_number_is_read_as_itself_or_refused(digits: int, exponent: int, scale: int) -> None:
    try:
        found = from_text(pa.array([f"{digits}e{exponent}"]), pa.decimal128(38, scale))[0].as_py()
    except pa.ArrowInvalid:
        found = None

    up, down = 10 ** max(exponent + scale, 0), 10 ** max(-exponent - scale, 0)
    fits = digits * up % down == 0 and abs(digits * up // down) < 10**38
    assert (found is None) == (not fits) or digits == 0
    assert found is None or int(found.scaleb(scale, Context(prec=76))) == digits * up // down
