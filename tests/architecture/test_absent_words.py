"""What must be absent from a text is looked for by words that no id, hash or time can spell by chance."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
#: Everything that an id in hexadecimal, a checksum or a timestamp is written with.
CHANCE = re.compile(r"[0-9a-f]{2,8}", re.IGNORECASE)
#: Expressions that end in these hold more than what the test has put there: answers with a request id, rows, dumps.
TEXTS = re.compile(r"(\.text|\.content|\.lower\(\)|left|everything\(.*\)|dumps\(.*\)|str\(.*\))$")


def words(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Each constant that a comparison expects to be absent, with the text that is searched."""
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.NotIn) and isinstance(node.left, ast.Constant):
        yield str(node.left.value), ast.unparse(node.comparators[0])
    if isinstance(node, ast.ListComp) and isinstance(node.generators[0].iter, ast.Tuple):
        for test in node.generators[0].ifs:
            if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.In):
                for item in node.generators[0].iter.elts:
                    if isinstance(item, ast.Constant):
                        yield str(item.value), ast.unparse(test.comparators[0])


def chances(source: str) -> list[str]:
    found = (pair for node in ast.walk(ast.parse(source)) for pair in words(node))
    return [f"{word} in {text}" for word, text in found if CHANCE.fullmatch(word) and TEXTS.search(text)]


def test_no_word_that_must_be_absent_can_be_spelled_by_chance() -> None:
    assert [(path.name, text) for path in TESTS.rglob("test_*.py") for text in chances(path.read_text())] == []


def test_the_rule_finds_what_it_is_for() -> None:
    assert chances('assert "1742" not in answer.text') == ["1742 in answer.text"]
    assert chances('assert [word for word in ("x@y", "1742") if word in left] == []') == ["1742 in left"]
    assert chances('assert "person-1742" not in answer.text') == []
