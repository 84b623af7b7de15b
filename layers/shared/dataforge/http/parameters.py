"""Which query parameters a route takes: others are refused, so that a typing error is not silently ignored."""

from collections.abc import Collection
from difflib import get_close_matches

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request

from dataforge.kernel.errors import BadRequest, Violation, sentence
from dataforge.kernel.texts import Text
from dataforge.kernel.validation import and_more

_MOST_NAMES = 10
_MAX_NAME = 100  # characters of a name that are repeated
_NEAR = 0.6


class UnknownParameter(BadRequest):
    """The address has a query parameter that the route does not take."""

    code = "unknown_parameter"
    title = "Unknown query parameter"


def query_parameters(route: APIRoute) -> tuple[str, ...]:
    """The names of the query parameters of a route, those of its dependencies and of `openapi_extra` included."""
    names = list(_declared(route.dependant))
    extra = (route.openapi_extra or {}).get("parameters", ())
    names += [parameter["name"] for parameter in extra if parameter.get("in") == "query"]
    return tuple(dict.fromkeys(names))


def _declared(dependant: Dependant) -> list[str]:
    names: list[str] = []
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            names += [item.alias or name for name, item in annotation.model_fields.items()]
        else:
            names.append(field.alias)
    return names + [name for inner in dependant.dependencies for name in _declared(inner)]


def refuse_unknown_parameters(request: Request, known: Collection[str]) -> None:
    """Raise UnknownParameter for names in the query that are not `known`, each with the one that may be meant."""
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if not unknown:
        return
    violations = [
        Violation(f"query:{name[:_MAX_NAME]}", _meant(name, known), "unknown") for name in unknown[:_MOST_NAMES]
    ]
    offered = (
        Text("It takes {parameters}.", parameters=and_more(sorted(known), _MOST_NAMES))
        if known
        else Text("It takes none.")
    )
    first = violations[0]
    message = Text(
        "{place}: {message} {offered}", place=first.pointer, message=sentence(first.message), offered=offered
    )
    raise UnknownParameter(message, violations=violations)


def _meant(name: str, known: Collection[str]) -> str:
    folded = {item.replace("_", "").replace("-", "").lower(): item for item in known}
    same = folded.get(name.replace("_", "").replace("-", "").lower())
    near = [same] if same else get_close_matches(name[:_MAX_NAME], list(known), n=1, cutoff=_NEAR)
    reason = Text("is not a query parameter of this address")
    return Text('{reason}, did you mean "{near}"?', reason=reason, near=near[0]) if near else reason
