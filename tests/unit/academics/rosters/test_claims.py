"""A code can be had once: by who wants it alone, when nobody has it or its holder leaves it."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.academics.rosters.domain.claims import Claim, Refused, settle_claims

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


def test_a_free_code_is_had_by_who_wants_it() -> None:
    assert settle_claims([Claim(1, 2, "x"), Claim(2, 3, "y", A)], {}) == {}


def test_two_who_want_one_code_both_fail_whoever_has_it() -> None:
    both = {1: Refused((2, 3)), 2: Refused((2, 3))}

    assert settle_claims([Claim(1, 2, "x"), Claim(2, 3, "x", A)], {}) == both
    assert settle_claims([Claim(1, 2, "x"), Claim(2, 3, "x", A)], {"x": A}) == both


def test_a_code_that_somebody_else_has_is_refused_with_the_holder() -> None:
    assert settle_claims([Claim(1, 2, "x"), Claim(2, 3, "y", B)], {"x": A, "y": B}) == {1: Refused((), A)}


def test_codes_may_be_passed_on_and_swapped() -> None:
    swap = [Claim(1, 2, "y", A), Claim(2, 3, "x", B)]
    chain = [Claim(1, 2, "y", A), Claim(2, 3, "z", B), Claim(3, 4, "x")]

    assert settle_claims(swap, {"x": A, "y": B}) == {}
    assert settle_claims(chain, {"x": A, "y": B}) == {}


def test_a_chain_that_ends_at_somebody_who_stays_fails_whole() -> None:
    chain = [Claim(1, 2, "y", A), Claim(2, 3, "z", B), Claim(3, 4, "x")]

    assert settle_claims(chain, {"x": A, "y": B, "z": C}) == {1: Refused((), B), 2: Refused((), C), 3: Refused((), A)}


entities = st.sampled_from([None, *(UUID(int=n) for n in range(1, 6))])
wishes = st.lists(st.tuples(entities, st.integers(1, 6)), max_size=8)


@given(wishes, st.randoms(use_true_random=False))
def test_what_is_granted_can_be_had_in_any_order_and_again(
    wished: list[tuple[UUID | None, int]], order: object
) -> None:
    held = {n: UUID(int=n) for n in range(1, 5)}
    once = {entity: (entity, key) for entity, key in wished if entity is not None}
    given_wishes = [*once.values(), *(wish for wish in wished if wish[0] is None)]
    claims = [Claim(no, no + 1, key, entity) for no, (entity, key) in enumerate(given_wishes)]
    shuffled = list(claims)
    order.shuffle(shuffled)  # type: ignore[attr-defined]

    refused = settle_claims(claims, held)

    assert settle_claims(shuffled, held) == refused
    granted = [claim for claim in claims if claim.row_no not in refused]
    after = {entity: key for key, entity in held.items()}
    after |= {claim.entity or UUID(int=100 + claim.row_no): int(str(claim.key)) for claim in granted}
    assert len(set(after.values())) == len(after)
    known = {claim.row_no: claim.entity or UUID(int=100 + claim.row_no) for claim in granted}
    again = [Claim(c.row_no, c.line, c.key, known.get(c.row_no, c.entity)) for c in claims]
    assert settle_claims(again, {key: entity for entity, key in after.items()}).keys() == refused.keys()
