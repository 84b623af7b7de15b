#!/usr/bin/env bash
# pyarrow 26.0.1: a number that a decimal type has no room for becomes another number, without an error.
# Guess: a cast to decimal128(38, 14) refuses what does not fit ("would cause data loss"), as it does for decimal128(10, 2),
#   since the safe cast promises so and the digits of the result are counted.
# Seen: the text 72288130368e22 becomes 672815205965873947137657.54…, the whole number 604615150342 as decimal128(38, 36)
#   becomes 41.33…, the decimal 604615150342 likewise; the text 1e-77 becomes 0.00 while 1e-76 is refused. The same numbers as
#   Python decimals are refused. Types with 38 digits are the usual choice of who wants to lose nothing.
# Source: Apache Arrow, BasicDecimal128: raising the scale multiplies in 128 bits before digits are counted; powers of ten
#   come from a table that ends at 38 (decimal.cc). Known in part: apache/arrow issue 49817 (texts of more than 38 digits).
# What we do: numbers are compared with the room of the type as doubles before the cast, and texts with more than 38 digits
#   behind the point are read in Python (versioned tables, schema/decimals.py); tests compare with whole-number arithmetic.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PY'
from decimal import Decimal

import pyarrow as pa


def cast(value, source, target):
    try:
        return pa.array([value], source).cast(target)[0].as_py()
    except pa.ArrowInvalid as error:
        return f"refused: {error}"


def python_decimal(value, target):
    try:
        return pa.array([value], target)[0].as_py()
    except pa.ArrowInvalid as error:
        return f"refused: {error}"


wide, deep = pa.decimal128(38, 14), pa.decimal128(38, 36)
seen = {
    "text 72288130368e22 as decimal128(38, 14)": cast("72288130368e22", pa.string(), wide),
    "whole number 604615150342 as decimal128(38, 36), by way of (19, 0)": (
        pa.array([604615150342], pa.int64()).cast(pa.decimal128(19, 0)).cast(deep)[0].as_py()
    ),
    "decimal 604615150342 as decimal128(38, 36)": cast(Decimal(604615150342), pa.decimal128(38, 0), deep),
    "text 1e-77 as decimal128(38, 2)": cast("1e-77", pa.string(), pa.decimal128(38, 2)),
    "text 1e-76 as decimal128(38, 2)": cast("1e-76", pa.string(), pa.decimal128(38, 2)),
    "Python decimal 604615150342 as decimal128(38, 36)": python_decimal(Decimal(604615150342), deep),
}
print("pyarrow", pa.__version__)
for what, value in seen.items():
    print(f"{what}: {value}")
values = list(seen.values())
assert values[0] == Decimal("672815205965873947137657.54262695968768")
assert values[1] == values[2] == Decimal("41.334994864821693587146375778371895296")
assert values[3] == Decimal("0.00")
assert str(values[4]).startswith("refused")
assert str(values[5]).startswith("refused")
PY
