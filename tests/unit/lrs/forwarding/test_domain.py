"""Rules of what is forwarded."""

import pytest

from dataforge.contexts.lrs.forwarding.domain import StatementChoice, check_choice
from dataforge.kernel.errors import ValidationFailed


def test_the_agent_of_a_filter_has_an_identifier() -> None:
    check_choice(StatementChoice(agent={"mbox": "mailto:ana@example.org"}))
    for wrong in ({"name": "Ana"}, {"mbox": "ana"}, {"objectType": "Group", "member": []}):
        with pytest.raises(ValidationFailed):
            check_choice(StatementChoice(agent=wrong))
