"""Bounds of partitions, as PostgreSQL prints them: whether all rows of one are rows of another."""

import re
from decimal import Decimal

from dataforge.contexts.schemas.designs.domain.names import split_list

_HASH = re.compile(r"FOR VALUES WITH \(modulus (\d+), remainder (\d+)\)", re.IGNORECASE)
_LIST = re.compile(r"FOR VALUES IN \((.*)\)", re.DOTALL)
_RANGE = re.compile(r"FOR VALUES FROM \((.*)\) TO \((.*)\)", re.DOTALL)
_NUMBER = re.compile(r"'?(-?\d+(?:\.\d+)?)'?")
_SPELLING = re.compile(r"'| 00:00:00(?:\+00)?(?=')|(?<=\d)\.0+(?=['),])")
_MOMENT = re.compile(r"'(\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d)?)'")


def contains(outer: str, inner: str) -> bool:
    """Whether every row that fits the inner bound fits the outer one; False where the texts do not tell."""
    if outer == inner:
        return True
    one, two = _HASH.fullmatch(outer), _HASH.fullmatch(inner)
    if one and two:
        (modulus, rest), (inner_modulus, inner_rest) = map(int, one.groups()), map(int, two.groups())
        return inner_modulus % modulus == 0 and inner_rest % modulus == rest
    one, two = _LIST.fullmatch(outer), _LIST.fullmatch(inner)
    if one and two:
        return set(split_list(two[1])) <= set(split_list(one[1]))
    one, two = _RANGE.fullmatch(outer), _RANGE.fullmatch(inner)
    if one and two:
        return _at_most(one[1], two[1]) and _at_most(two[2], one[2])
    return False


def alike(one: str, two: str) -> bool:
    """Whether two bounds are the same values, of types that write these otherwise (`2026-01-01 00:00:00` is a day)."""
    return _SPELLING.sub("", one) == _SPELLING.sub("", two)


def listed(bound: str) -> set[str]:
    """The values of a list bound, as they are printed; none of others."""
    found = _LIST.fullmatch(bound)
    return set() if found is None else set(split_list(found[1]))


def related(one: str, two: str) -> bool:
    """Whether one of two bounds contains the other."""
    return contains(one, two) or contains(two, one)


def _at_most(low: str, high: str) -> bool:
    """Whether one end of a range is not above another; of several columns only the first different one counts."""
    for left, right in zip(split_list(low), split_list(high), strict=False):
        if left == right:
            continue
        if left == "MINVALUE" or right == "MAXVALUE":
            return True
        if left == "MAXVALUE" or right == "MINVALUE":
            return False
        numbers = _NUMBER.fullmatch(left), _NUMBER.fullmatch(right)
        if numbers[0] and numbers[1]:
            return Decimal(numbers[0][1]) < Decimal(numbers[1][1])
        moments = _MOMENT.fullmatch(left), _MOMENT.fullmatch(right)
        if moments[0] and moments[1] and len(left) == len(right):
            return left < right
        return False
    return True
