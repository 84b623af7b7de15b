"""Print what the examples of `docs/` take from the environment: `eval "$(python3 -m infra.site.environment)"`."""

import json
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from infra.local.layout import DEVELOPMENT


def variables(facts: Mapping[str, Any]) -> dict[str, str]:
    """The variables by name, from what `make run` wrote down."""
    admin, xapi = facts["credentials"]["admin"], facts["credentials"]["xapi"]
    return {
        "API": facts["api_url"],
        "XAPI": facts["xapi_url"],
        "ADMIN_PASSWORD": admin["password"],
        "XAPI_KEY": xapi["key"],
        "XAPI_SECRET": xapi["secret"],
    }


def main() -> int:
    """Print one line for a shell; returns the exit status."""
    file = DEVELOPMENT.stack_file
    if not file.exists():
        print("error: There is no stack on this machine; start one with 'make run'.", file=sys.stderr)
        return 1
    values = variables(json.loads(file.read_text()))
    print("export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
