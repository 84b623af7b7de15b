"""What is wrong with a target, in sentences beside their lines."""

import pytest

from dataforge.contexts.schemas.designs.domain.document import InvalidTarget, invalid_target
from dataforge.contexts.schemas.designs.texts import problems_of
from dataforge.kernel.errors import Violation


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ('unknown type "varchr", did you mean "varchar"?', 'Unknown type "varchr", did you mean "varchar"?'),
        ("must be a text", "Must be a text."),
        ("there is no such table.", "There is no such table."),
    ],
)
def test_each_problem_is_one_sentence_with_one_mark_at_its_end(message: str, sentence: str) -> None:
    error = InvalidTarget("It is wrong.", violations=[Violation("/tables", message, "rule")])

    assert invalid_target(error.violations).detail == f"/tables: {sentence[:1].lower()}{sentence[1:]}"
    assert [item.message for item in problems_of(error, '{"tables": 1}')] == [sentence]
