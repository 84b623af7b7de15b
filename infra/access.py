"""Write `docs/access.md` from the table of `kernel/rules.py`: `python -m infra.access [--check]`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from dataforge.kernel.access import Action, Area, Kind, Rule
from dataforge.kernel.principal import Role
from dataforge.kernel.rules import RULES, area_of, token_scope

PAGE = Path(__file__).resolve().parent.parent / "docs" / "access.md"
_BEGIN, _END = "<!-- table: make access -->", "<!-- end of the table -->"
_ROLES = tuple(Role)
_COLUMNS = ("Resource", "Action", *_ROLES, "in the workspace", "on the dataset", "scopes of xAPI credentials", "token")


def _of_role(role: Role, rule: Rule) -> str:
    if role in rule.roles:
        return "all"
    parts = [name for name, roles in (("own", rule.own), ("taught", rule.teaching)) if role in roles]
    return ", ".join(parts)


def _scopes(rule: Rule) -> str:
    scopes = [f"`{scope}`" for scope in rule.scopes]
    return ", ".join([*scopes, *(f"`{scope}` (own)" for scope in rule.own_scopes)])


def _for_people(rule: Rule) -> bool:
    return bool(rule.entered_by)


def _token(action: Action, kind: Kind, rule: Rule) -> str:
    if not _for_people(rule):
        return ""
    return "never" if rule.interactive else f"`{token_scope(action, kind)}`"


def _row(actions: list[Action], kind: Kind, rule: Rule) -> str:
    cells = [kind.value.replace("_", " "), ", ".join(actions), *(_of_role(role, rule) for role in _ROLES)]
    cells += ["" if rule.member is None else f"{rule.member}", "" if rule.level is None else f"{rule.level}"]
    cells += [_scopes(rule), _token(actions[0], kind, rule)]
    return f"| {' | '.join(cells)} |"


def _lines() -> Iterator[str]:
    for area in Area:
        yield f"\n### {area.value.capitalize()}\n"
        yield f"| {' | '.join(_COLUMNS)} |"
        yield "|---" * len(_COLUMNS) + "|"
        alike: dict[tuple[Kind, Rule, bool], list[Action]] = {}
        for (kind, action), rule in RULES.items():
            if area_of(kind) is area:
                alike.setdefault((kind, rule, action.reads), []).append(action)
        for (kind, rule, _), actions in alike.items():
            yield _row(actions, kind, rule)


def page(text: str) -> str:
    """The page with the table as the code has it; raises ValueError for a page without the place for it."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        message = f"{PAGE.name} needs the lines {_BEGIN!r} and {_END!r}."
        raise ValueError(message)
    return f"{before}{_BEGIN}\n" + "\n".join(_lines()) + f"\n\n{_END}{after}"


def main() -> int:
    """Write the page, or with `--check` say whether it is as the code says."""
    text = PAGE.read_text()
    if "--check" in sys.argv[1:]:
        return int(page(text) != text)
    PAGE.write_text(page(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
