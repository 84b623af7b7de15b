"""UUID version 7."""

from datetime import UTC, datetime

from dataforge.kernel.ids import uuid7


def test_ids_are_version_7_of_the_rfc_variant() -> None:
    value = uuid7()

    assert value.version == 7
    assert value.variant == "specified in RFC 4122"


def test_ids_of_one_process_only_grow() -> None:
    ids = [uuid7() for _ in range(10_000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_the_first_48_bits_are_the_time() -> None:
    milliseconds = uuid7().int >> 80

    assert abs(datetime.fromtimestamp(milliseconds / 1000, UTC) - datetime.now(UTC)).total_seconds() < 60
