"""The examples of the OpenAPI document are answers that reports could give."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from dataforge.contexts.reports import routes
from dataforge.contexts.reports.examples import EXAMPLES

MODELS = [(route.path, route.response_model) for route in routes.router.routes if isinstance(route, APIRoute)]


def unlike(model: type[BaseModel], value: Mapping[str, Any], where: str = "") -> list[str]:
    """Where the members of a value are not those of its model, lists and models within it included."""
    wrong = [f"{where}/{name}" for name in set(model.model_fields) ^ set(value)]
    for name, field in model.model_fields.items():
        inner = next((kind for kind in (field.annotation, *get_args(field.annotation)) if _is_model(kind)), None)
        given = value.get(name)
        items = given if isinstance(given, list) else [given] if given is not None else []
        if inner is not None:
            wrong += [found for item in items for found in unlike(inner, item, f"{where}/{name}")]
    return wrong


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


@pytest.mark.parametrize(("path", "model"), MODELS, ids=[path for path, _ in MODELS])
def test_an_example_has_the_members_of_its_model(path: str, model: type[BaseModel]) -> None:
    matching = [name for name, example in EXAMPLES.items() if unlike(model, example) == []]

    assert len(matching) == 1, path
    model.model_validate(EXAMPLES[matching[0]])


def test_every_report_has_an_example() -> None:
    assert len(EXAMPLES) == len(MODELS)
