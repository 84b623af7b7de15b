"""Decimals from text and numbers: every digit, or a refusal.

Arrow (26.0.1) does not refuse everything that a decimal type has no room for. It multiplies by powers of ten without a
look at the bits it has, so that 72288130368e22 as decimal(38,14) becomes another number; and its table of powers of ten
ends at 38, so that 1e-77 becomes 0. What could meet either is kept from it here.
"""

from __future__ import annotations

from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation

import pyarrow as pa
import pyarrow.compute as pc

# Texts that may have more than 38 digits behind the point.
_DEEP = r"[eE]-[0-9]{2}|\.[0-9]{38}"
_EXACT = Context(prec=76, traps=[Inexact, InvalidOperation])


def exactly(number: Decimal, scale: int) -> Decimal:
    """The number with so many digits behind the point.

    Raises decimal.Inexact when it has more, InvalidOperation when it is infinite or too large for any decimal type.
    """
    return number.quantize(Decimal(1).scaleb(-scale), context=_EXACT)


def from_text(texts: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    """Texts as a decimal type; raises ArrowInvalid when one is no number or has more digits than the type."""
    deep = pc.match_substring_regex(texts, _DEEP)
    if pc.any(deep).as_py():
        plain = [
            _plain(text, kind.scale) if is_deep else text
            for text, is_deep in zip(texts.to_pylist(), deep.to_pylist(), strict=True)
        ]
        rewritten = pa.array(plain, pa.string())
        texts = pa.chunked_array([rewritten]) if isinstance(texts, pa.ChunkedArray) else rewritten
    _require_room(pc.utf8_ltrim(texts, "+").cast(pa.float64()), kind)
    return texts.cast(kind)


def from_numbers(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Whole numbers or decimals as a decimal type; raises ArrowInvalid when one has more digits than the type."""
    _require_room(values.cast(pa.float64(), safe=False), kind)
    if pa.types.is_integer(values.type):
        values = values.cast(pa.decimal128(19, 0))
    return values.cast(kind)


def _require_room(values: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> None:
    """Raise ArrowInvalid for numbers whose digits could overflow the bits of the type before Arrow counts them.

    Between the largest number of the type, 10^38 (or 10^76) less one, and what overflows, 1.7 * 10^38 (5.7 * 10^76), a
    double tells on which side a number is.
    """
    most = (1.3e38 if kind.byte_width == 16 else 3e76) / 10.0**kind.scale
    if pc.any(pc.greater(pc.abs(values), most)).as_py():
        message = f"a number does not fit {kind}"
        raise pa.ArrowInvalid(message)


def _plain(text: str, scale: int) -> str:
    try:
        return format(exactly(Decimal(text), scale), "f")
    except DecimalException as error:
        message = f"{text!r:.80} is no number of {scale} digits behind the point"
        raise pa.ArrowInvalid(message) from error
