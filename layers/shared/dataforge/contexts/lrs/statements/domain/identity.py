"""Which id a statement gets.

The sender's own id is kept; a statement without one gets a random id. A sender that never has ids (the Moodle plugin)
repeats a whole request when the answer was lost: its credential can ask for ids that are derived from what cannot
change between the two, the authority, the content with its own timestamp, and which of several equal statements of the
request it is. The repetition then meets its own ids. Without a timestamp two equal statements may well be two events,
and the id is random all the same. Both have the form of UUID version 4: the standard wants it, and a client library
refuses versions above 5 and sends again.
"""

import hashlib
from collections import Counter
from uuid import UUID, uuid4

from dataforge.contexts.lrs.statements.domain.json_text import to_json
from dataforge.contexts.lrs.statements.domain.normal_form import normal_form
from dataforge.contexts.lrs.statements.domain.rules import Rule
from dataforge.contexts.lrs.statements.domain.validation.formats import UUID_TEXT
from dataforge.kernel.errors import ValidationFailed, Violation
from dataforge.kernel.texts import Text

_DERIVED = UUID("0b7ad4a2-5a0e-5c0f-9d43-2f1c8a6f5e10")
"""What derived ids begin with; changing it would make every repetition a new statement."""


class StatementIds:
    """Assigns the ids of one request; `authority` is what the store sets, not what the sender claims.

    With `deduplicate` ids are derived where that can be done, else they are random.
    """

    def __init__(self, authority: dict[str, object], *, deduplicate: bool) -> None:
        self._authority = to_json(normal_form({"actor": authority}), sort_keys=True).decode()
        self._deduplicate = deduplicate
        self._seen: Counter[str] = Counter()

    def assign(self, statement: dict[str, object], content_hash: str) -> UUID:
        """The id of the next statement of the request; `content_hash` is its `content_sha256`."""
        given = statement.get("id")
        if isinstance(given, str):
            return UUID(given)
        if not self._deduplicate or "timestamp" not in statement:
            return uuid4()
        occurrence = self._seen[content_hash]
        self._seen[content_hash] += 1
        said = f"{_DERIVED}\n{content_hash}\n{occurrence}\n{self._authority}"
        return UUID(bytes=hashlib.sha256(said.encode()).digest()[:16], version=4)


def parse_statement_id(text: str) -> UUID | None:
    """The id in a `statementId` parameter; None unless it has the text form of RFC 4122."""
    return UUID(text) if UUID_TEXT.match(text) else None


def with_statement_id(statement: dict[str, object], statement_id: UUID) -> dict[str, object]:
    """The statement of a PUT with the id of its `statementId` parameter (Communication 2.1.1).

    Raises ValidationFailed when the body names another id.
    """
    given = statement.get("id")
    if isinstance(given, str) and given.lower() != str(statement_id):
        message = Text(
            "The id in the body is not the statementId parameter {statement_id}; leave one of them out.",
            statement_id=statement_id,
        )
        raise ValidationFailed(message, violations=[Violation("/id", message, Rule.STATEMENT_ID)])
    return {**statement, "id": str(statement_id)} if given is None or isinstance(given, str) else statement
