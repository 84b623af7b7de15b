"""A text of DBML, token by token, with the parts that all of its rules share."""

from collections.abc import Callable
from difflib import get_close_matches

from dataforge.contexts.schemas.sources.domain.source import Source
from dataforge.contexts.schemas.sources.domain.tokens import Lexeme, lexemes
from dataforge.kernel.texts import Text


class Unreadable(Exception):
    """Something that no rule of the language fits; caught where reading can go on."""


class Cursor:
    """Where in a text reading is."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._tokens = list(lexemes(source))
        self._at = 0

    @property
    def after(self) -> Lexeme:
        """The token behind the next."""
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    @property
    def next(self) -> Lexeme:
        """The token that is next."""
        return self._tokens[self._at]

    def take(self) -> Lexeme:
        """Go on by one token."""
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def lines(self) -> None:
        """Go on to the next line that holds something."""
        while self.next.kind == "line":
            self.take()

    def fail(self, expected: str) -> Unreadable:
        """Note that something else was expected."""
        token = self.next
        shown = {"line": "the end of the line", "end": "the end of the text"}.get(token.kind, f'"{token.value[:40]}"')
        self.source.refuse(
            token.offset, Text("expected {expected}, found {shown}", expected=expected, shown=shown), "syntax"
        )
        return Unreadable()

    def expect(self, sign: str) -> Lexeme:
        """Take a sign or word that must be there."""
        if not self.next.says(sign):
            raise self.fail(f'"{sign}"')
        return self.take()

    def accept(self, *words: str) -> bool:
        """Take one of these words or signs if it is there."""
        if self.next.says(*words):
            self.take()
            return True
        return False

    def skip_line(self) -> None:
        """Go on behind the line, and behind the braces that begin in it."""
        depth = 0
        while self.next.kind != "end":
            token = self.take()
            depth += token.says("{") - token.says("}")
            if token.kind == "line" and depth <= 0:
                return

    def skip_block(self) -> None:
        """Go on behind the next braces."""
        while self.next.kind != "end" and not self.next.says("{"):
            self.take()
        depth = 0
        while self.next.kind != "end":
            token = self.take()
            depth += token.says("{") - token.says("}")
            if depth == 0:
                return

    def name(self, what: str) -> str:
        """A name, quoted or not."""
        token = self.next
        if token.kind not in ("word", "name", "number") or not token.value:
            raise self.fail(what)
        return self.take().value

    def block(self, read: Callable[[], None]) -> None:
        """Read everything between braces; after a mistake goes on in the next line."""
        self.lines()
        self.expect("{")
        while True:
            self.lines()
            if self.accept("}"):
                return
            if self.next.kind == "end":
                raise self.fail('"}"')
            try:
                read()
            except Unreadable:
                while self.next.kind not in ("line", "end") and not self.next.says("}"):
                    self.take()

    def text(self, what: str) -> str:
        """A text in quotes."""
        if self.next.kind not in ("text", "long", "name"):
            raise self.fail(Text("{what} in quotes", what=what))
        return self.take().value

    def settings(self, known: tuple[str, ...]) -> dict[str, tuple[str | None, Lexeme]]:
        """Settings in brackets, by name: the value as text, and its last token."""
        found: dict[str, tuple[str | None, Lexeme]] = {}
        self.expect("[")
        while True:
            self.lines()
            at, name = self.next.offset, self.setting_name()
            value, token = None, self.next
            if self.accept(":"):
                self.lines()
                token = self.next
                value = self.value()
            if name not in known:
                near = get_close_matches(name, known, n=1)
                meant = f', did you mean "{near[0]}"?' if near else ""
                self.source.refuse(
                    at, Text('unknown setting "{name}"{meant}', name=name, meant=meant), "unknown_member"
                )
            found[name] = (value, token)
            self.lines()
            if self.accept("]"):
                return found
            self.expect(",")

    def setting_name(self) -> str:
        """The words of the name of a setting."""
        words = [self.name("a setting").lower()]
        while self.next.kind == "word":
            words.append(self.take().value.lower())
        return " ".join(words)

    def value(self) -> str:
        """A text, number, expression or words."""
        if self.next.kind in ("text", "long", "code", "number", "name", "color"):
            return self.take().value
        words = []
        while self.next.kind in ("word", "number", "name") or self.next.says(".", "-", "+"):
            words.append(self.take().value)
        if not words:
            raise self.fail(Text("a value"))
        return " ".join(words).replace(" . ", ".").replace("- ", "-").replace("+ ", "+")
