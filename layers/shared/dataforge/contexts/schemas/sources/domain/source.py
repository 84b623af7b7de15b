"""A text that describes a schema, and what is wrong with it: every problem has its line and column."""

from collections.abc import Iterable
from dataclasses import dataclass

from dataforge.kernel.errors import ValidationFailed, Violation, sentence
from dataforge.kernel.texts import Text

MAX_SOURCE_BYTES = 2 * 1024 * 1024
MOST_PROBLEMS = 100


class InvalidSource(ValidationFailed):
    """The text cannot be read as a schema; each violation says line, column and rule."""

    code = "invalid_source"
    title = "The text does not describe a schema that can be read"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say about a place: `line` and `column` count from 1, columns in characters."""

    line: int
    column: int
    message: str
    rule: str
    pointer: str | None = None

    @property
    def place(self) -> str:
        """The place in words, or the pointer of a remark about a document."""
        return self.pointer if self.pointer is not None else f"line {self.line}, column {self.column}"


class Source:
    """The text in UTF-8, where all offsets are bytes, with what has been remarked about it."""

    def __init__(self, text: str, member: str) -> None:
        self.member = member
        self.problems: list[Remark] = []
        self._warnings: dict[tuple[str, str], tuple[int, int, int]] = {}
        self.data = self._encode(text)

    def _encode(self, text: str) -> bytes:
        try:
            data = text.encode()
        except UnicodeEncodeError:
            self.problems.append(Remark(1, 1, Text("the text holds characters that are no Unicode text"), "text"))
            return b""
        if len(data) > MAX_SOURCE_BYTES:
            message = Text(
                "the text has {count:,} bytes; {max_source_bytes:,} are the most",
                count=len(data),
                max_source_bytes=MAX_SOURCE_BYTES,
            )
            self.problems.append(Remark(1, 1, message, "too_long"))
            return b""
        return data

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        before = self.data[: max(0, offset)]
        start = before.rfind(b"\n") + 1
        return before.count(b"\n") + 1, len(before[start:].decode(errors="replace")) + 1

    def refuse(self, offset: int, message: str, rule: str) -> None:
        """Note a problem; the first hundred are kept."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Remark(*self.at(offset), message, rule))

    def warn(self, offset: int, message: str, rule: str) -> None:
        """Note something that is left out or changed; the same again is counted."""
        line, column, times = self._warnings.get((message, rule)) or (*self.at(offset), 0)
        self._warnings[message, rule] = (line, column, times + 1)

    @property
    def warnings(self) -> list[Remark]:
        """What was remarked, each with how often."""
        return [
            Remark(line, column, message if times == 1 else f"{message} ({times:,} times)", rule)
            for (message, rule), (line, column, times) in self._warnings.items()
        ]

    def raise_problems(self) -> None:
        """Raise InvalidSource if there are problems."""
        if self.problems:
            raise refusal(self.member, self.problems)


def refusal(member: str, problems: Iterable[Remark]) -> InvalidSource:
    """The error for problems, in the order of their places."""
    found = sorted(problems, key=lambda item: (item.line, item.column))
    violations = [Violation(f"/{member}", f"{item.place}: {item.message}", item.rule) for item in found]
    places = [{"line": item.line, "column": item.column, "rule": item.rule} for item in found]
    return InvalidSource(sentence(violations[0].message), violations=violations, facts={"places": places})
