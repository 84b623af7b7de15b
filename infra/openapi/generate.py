"""Write `openapi.json` and the registry of errors from the code: `python -m infra.openapi.generate [--check]`."""

import json
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

from fastapi.routing import APIRoute

import dataforge
import versioned_tables
from dataforge.bootstrap import build_platform, rest_app
from dataforge.kernel.errors import registered_errors
from dataforge.settings import ApiSettings
from infra.openapi.document import openapi_document

HERE = Path(__file__).resolve().parent
REGISTRY = Path(dataforge.__path__[0]) / "http" / "errors.json"


def openapi() -> dict[str, Any]:
    """The document of every REST function."""
    document: dict[str, Any] = json.loads(_openapi())
    return document


@cache
def _openapi() -> str:
    return json.dumps(openapi_document(documented_routes()))


@cache
def documented_routes() -> list[APIRoute]:
    """The routes of every REST function that are part of the document."""
    routes = []
    for function in ("api", "datasets_api"):
        app, _ = rest_app(function, build_platform(ApiSettings()))
        app.contexts.load_all()
        routes += [route for route in app.contexts.routes() if route not in routes]
    shown = [route for route in routes if route.include_in_schema]  # pages are for people
    return sorted(shown, key=lambda route: (route.path_format, sorted(route.methods or ())))


def error_registry() -> list[dict[str, Any]]:
    """Every error code there is, as the API serves it at /errors."""
    for package in (dataforge, versioned_tables):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    return [
        {
            "code": code,
            "status": error.status,
            "title": error.title,
            "description": " ".join((error.__doc__ or "").split()),
        }
        for code, error in registered_errors().items()
    ]


def error_list() -> str:
    """The error codes as a Markdown page, one heading each."""
    lines = [
        "# Error codes",
        "",
        "Every problem document (RFC 9457) carries one of these in `code`; its `type` is `/errors/{code}` of the API,",
        "which serves this list at `/errors`. They never change.",
        "",
    ]
    for error in error_registry():
        lines += [f"## {error['code']}", "", f"**{error['status']}** {error['title']}. {error['description']}", ""]
    return "\n".join(lines)


def main(*, check: bool) -> int:
    """Write the files, or with `check` say whether they are current; returns the exit status."""
    wanted = {
        HERE / "openapi.json": json.dumps(openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n",
        HERE / "errors.md": error_list(),
        REGISTRY: json.dumps(error_registry(), indent=1, ensure_ascii=False) + "\n",
    }
    stale = [path.name for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if check:
        if stale:
            print(f"not current: {', '.join(stale)}; run `make openapi` and commit")
        return 1 if stale else 0
    for path, text in wanted.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv))
