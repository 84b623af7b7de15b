"""Codes of authenticator apps (RFC 6238), recovery codes, and how people enter them."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dataforge.contexts.identity.second_factor.domain import (
    CHALLENGE_TRIES,
    SINGLE_TRIES,
    STEP_SECONDS,
    AppCodes,
    Challenge,
    CodeUsed,
    RecoveryCode,
    SecondFactor,
    SecondFactorOff,
    SecondFactorOn,
    TwoCodesRequired,
    WrongCode,
    code_at,
    matching_steps,
    new_recovery_codes,
    new_secret,
    read_code,
    recovery_hash,
    step_of,
)
from dataforge.kernel.ids import uuid7

# RFC 6238, appendix B: its secret for SHA-1, and what it gives at these seconds; ours are its last six digits.
SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
NOW = datetime(2026, 6, 1, 12, 0, 10, tzinfo=UTC)
STEP = step_of(NOW)


def factor(*, last_step: int | None = None, failures: int = 0, confirmed: bool = True) -> SecondFactor:
    return SecondFactor(uuid7(), b"", NOW, NOW if confirmed else None, last_step, failures)


def single(step: int) -> AppCodes:
    return AppCodes((code_at(SECRET, step),))


@pytest.mark.parametrize(("seconds", "expected"), VECTORS.items())
def test_the_vectors_of_the_standard(seconds: int, expected: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)

    assert code_at(SECRET, step_of(now)) == expected[-6:]
    assert matching_steps(AppCodes((expected[-6:],)), SECRET, now) == [seconds // STEP_SECONDS]


@pytest.mark.parametrize(("away", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_away(away: int, *, taken: bool) -> None:
    if taken:
        assert factor().take(single(STEP + away), SECRET, NOW) == STEP + away
    else:
        with pytest.raises(WrongCode):
            factor().take(single(STEP + away), SECRET, NOW)


@pytest.mark.parametrize("last", [STEP, STEP + 1])
def test_a_code_that_was_taken_or_is_older_is_not_taken_again(last: int) -> None:
    with pytest.raises(CodeUsed):
        factor(last_step=last).take(single(STEP), SECRET, NOW)


def test_after_many_wrong_codes_one_is_not_looked_at_but_two_in_a_row_are() -> None:
    guessed = factor(failures=SINGLE_TRIES)

    with pytest.raises(TwoCodesRequired):
        guessed.take(single(STEP), SECRET, NOW)
    both = AppCodes((code_at(SECRET, STEP - 1), code_at(SECRET, STEP)))
    assert guessed.take(both, SECRET, NOW) == STEP
    for wrong in ((STEP, STEP), (STEP, STEP - 1), (STEP - 2, STEP)):
        with pytest.raises(WrongCode, match="wrong"):
            guessed.take(AppCodes(tuple(code_at(SECRET, step) for step in wrong)), SECRET, NOW)


def test_two_codes_are_one_after_the_other_of_the_last() -> None:
    both = AppCodes((code_at(SECRET, STEP), code_at(SECRET, STEP + 1)))

    assert factor(last_step=STEP).take(both, SECRET, NOW) == STEP + 1
    with pytest.raises(CodeUsed):
        factor(last_step=STEP + 1).take(both, SECRET, NOW)


@pytest.mark.parametrize(
    "text", ["123456", " 123 456 ", "123-456", "123\u2011456", "１２３４５６", "١٢٣٤٥٦", "123\u00a0456"]
)
def test_six_digits_as_keyboards_write_them(text: str) -> None:
    assert read_code(text) == AppCodes(("123456",))


def test_twelve_digits_are_two_codes() -> None:
    assert read_code("123456 654321") == AppCodes(("123456", "654321"))


@pytest.mark.parametrize(
    "text", ["", "12345", "1234567", "abcdef", "½23456", "abcd-efgh-jkmn-pqr", "abcd-efgh-jkmn-pqr!"]
)
def test_what_is_no_code(text: str) -> None:
    assert read_code(text) is None


def test_a_recovery_code_is_read_as_it_is_written_and_as_it_is_misread() -> None:
    assert read_code("ab01-0101-ef23-9xyz") == RecoveryCode("ab010101ef239xyz")
    assert read_code(" AB0L OIO1 EF23 9XYZ") == RecoveryCode("ab010101ef239xyz")


def test_recovery_codes_are_ten_that_differ_and_are_never_taken_for_an_apps() -> None:
    codes = new_recovery_codes()

    read = [read_code(code) for code in codes]
    assert len(set(codes)) == 10
    assert all(isinstance(code, RecoveryCode) for code in read)
    assert len({recovery_hash(code) for code in read if isinstance(code, RecoveryCode)}) == 10


def test_a_recovery_code_of_digits_only_is_one() -> None:
    assert read_code("1234-5678-1234-5678") == RecoveryCode("1234567812345678")


def test_secrets_have_160_bits_and_differ() -> None:
    first, second = new_secret(), new_secret()

    assert len(base64.b32decode(first)) == 20
    assert first != second


@given(st.text(max_size=60))
def test_whatever_is_entered_is_read(text: str) -> None:
    found = read_code(text)

    assert found is None or isinstance(found, AppCodes | RecoveryCode)
    if isinstance(found, AppCodes):
        assert all(len(code) == 6 and code.isascii() and code.isdecimal() for code in found.codes)


def test_what_was_begun_waits_half_an_hour() -> None:
    begun = factor(confirmed=False)

    begun.check_begun(NOW + timedelta(minutes=29))
    with pytest.raises(SecondFactorOff):
        begun.check_begun(NOW + timedelta(minutes=30))
    with pytest.raises(SecondFactorOn):
        factor().check_begun(NOW)


def test_a_challenge_is_open_for_five_tries_and_until_it_ends() -> None:
    def is_open(tries: int, left: int) -> bool:
        return Challenge(uuid7(), uuid7(), NOW + timedelta(seconds=left), tries).is_open(NOW)

    assert is_open(CHALLENGE_TRIES - 1, 1)
    assert not is_open(CHALLENGE_TRIES, 1)
    assert not is_open(0, 0)


def test_nothing_secret_is_shown_of_a_factor_or_a_code() -> None:
    code = new_recovery_codes()[0]
    read = read_code(code)
    assert isinstance(read, RecoveryCode)

    shown = repr((factor(), single(STEP), read))

    assert not any(hidden in shown for hidden in (SECRET, code_at(SECRET, STEP), read.text))


class Codes(RuleBasedStateMachine):
    """Time goes on and codes of any step come: no step is ever taken twice, and never one before another."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.last, self.failures = NOW, None, 0
        self.taken: list[int] = []

    @rule(seconds=st.integers(0, 100))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(away=st.integers(-3, 3), pair=st.booleans())
    def send(self, away: int, *, pair: bool) -> None:
        step = step_of(self.now) + away
        codes = (step - 1, step) if pair else (step,)
        sent = AppCodes(tuple(code_at(SECRET, one) for one in codes))
        try:
            self.last = factor(last_step=self.last, failures=self.failures).take(sent, SECRET, self.now)
        except TwoCodesRequired:
            assert not pair
        except WrongCode:
            self.failures += 1
        else:
            self.taken.append(self.last)
            self.failures = 0

    @invariant()
    def each_step_once(self) -> None:
        assert self.taken == sorted(set(self.taken))


TestCodes = Codes.TestCase
