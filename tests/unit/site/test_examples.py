"""What is shown below a command must be in its output, where it is not left open."""

from pathlib import Path

import pytest

from infra.site.examples import Example, differences, examples

PAGE = """# Page

```sh
A=1
```

```sh
echo "$A"
```

```json
{"a": 1}
```

```text
not run
```
"""


def shown(kind: str, text: str) -> Example:
    return Example(1, "", kind, text)


def test_blocks_are_commands_with_what_is_shown_below_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)

    assert list(examples(page)) == [
        Example(3, "A=1\n"),
        Example(7, 'echo "$A"\n', "json", '{"a": 1}\n'),
    ]


def test_an_answer_without_a_command_is_a_mistake(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```json\n{}\n```\n\n```sh\ntrue\n```\n")

    with pytest.raises(ValueError, match=r"page\.md:1"):
        list(examples(page))


def test_a_page_without_commands_has_no_examples(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```json\n{}\n```\n")

    assert list(examples(page)) == []


@pytest.mark.parametrize(
    ("example", "output"),
    [
        (shown("json", '{"a": 1}'), '{"a": 1, "b": 2}'),
        (shown("json", '{"a": "…", "b": "x-…"}'), '{"a": [1], "b": "x-17"}'),
        (shown("json", "[1, 2]"), "[1, 2]"),
        (shown("json", '[1, "…"]'), "[1, 2, 3]"),
        (shown("csv", "a,b\n1,…\n…\n"), "a,b\r\n1,17\r\n2,3\r\n"),
        (Example(1, ""), "anything"),
    ],
)
def test_what_fits(example: Example, output: str) -> None:
    assert differences(example, output) == []


@pytest.mark.parametrize(
    ("example", "output", "place"),
    [
        (shown("json", '{"a": 1}'), '{"b": 2}', "/a: is not"),
        (shown("json", '{"a": {"b": 1}}'), '{"a": {"b": 2}}', "/a/b: is 2"),
        (shown("json", '{"a": 1}'), '{"a": true}', "/a: is True"),
        (shown("json", "[1]"), "[1, 2]", "has 2 elements"),
        (shown("json", '[1, 2, "…"]'), "[1]", "has 1 elements"),
        (shown("json", '{"a": "x-…"}'), '{"a": "y-1"}', "/a: is 'y-1'"),
        (shown("json", "{}"), "<html>", "no JSON"),
        (shown("csv", "a\n1\n"), "a\n2\n", "line 2"),
        (shown("csv", "a\n"), "a\n2\n", "has 2 lines"),
    ],
)
def test_what_does_not(example: Example, output: str, place: str) -> None:
    (difference,) = differences(example, output)

    assert place in difference
