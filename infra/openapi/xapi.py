"""The xAPI resources in the OpenAPI document: they are Starlette's, with rules of their own (IEEE 9274.1.1).

What statements and documents are is the standard's to say: bodies are objects here, and every parameter is one that
the standard names. Refusals are problem documents as everywhere.
"""

from typing import Any

from infra.openapi.answers import PROBLEM

TAGS = [
    {"name": "xapi-statements", "description": "Statements: sent, one or many, and read by the standard's filters."},
    {"name": "xapi-documents", "description": "Documents of activities and agents: state and profiles, with ETags."},
    {"name": "xapi-resources", "description": "Activities, persons, and what this record store is able to do."},
]
GROUP = {"name": "xAPI", "tags": sorted(tag["name"] for tag in TAGS)}
SECURITY = {
    "xapi": {"type": "http", "scheme": "basic", "description": "key and secret of an xAPI credential"},
    "xapi-token": {"type": "http", "scheme": "bearer", "description": "an access token of POST /oauth/token"},
}
_ANY_OBJECT = {"type": "object", "additionalProperties": True}
_STATEMENT = {
    "type": "object",
    "description": "A statement (IEEE 9274.1.1, 4.2).",
    "required": ["actor", "verb", "object"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "actor": _ANY_OBJECT,
        "verb": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string", "format": "uri"},
                "display": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "object": _ANY_OBJECT,
        "result": _ANY_OBJECT,
        "context": _ANY_OBJECT,
        "timestamp": {"type": "string", "format": "date-time"},
        "stored": {"type": "string", "format": "date-time"},
        "authority": _ANY_OBJECT,
        "version": {"type": "string"},
        "attachments": {"type": "array", "items": _ANY_OBJECT},
    },
}
_RESULT = {
    "type": "object",
    "required": ["statements"],
    "properties": {
        "statements": {"type": "array", "items": {"$ref": "#/components/schemas/XapiStatement"}},
        "more": {"type": "string", "description": "the address of the next page, empty on the last one"},
    },
}
SCHEMAS = {"XapiStatement": _STATEMENT, "XapiStatementPage": _RESULT}
_EXAMPLE = {
    "actor": {"name": "Ana Roux", "mbox": "mailto:ana.roux@example.org"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en": "completed"}},
    "object": {"id": "https://lms.example.org/fire-safety", "definition": {"name": {"en": "Fire safety"}}},
}
_VERSION = {
    "name": "X-Experience-API-Version",
    "in": "header",
    "required": True,
    "schema": {"type": "string"},
    "example": "2.0.0",
}
_TEXT: dict[str, Any] = {"type": "string"}
_UUID: dict[str, Any] = {"type": "string", "format": "uuid"}
_IRI: dict[str, Any] = {"type": "string", "format": "uri"}
_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}
_FLAG: dict[str, Any] = {"type": "boolean", "default": False}
_FILTERS: dict[str, dict[str, Any]] = {
    "statementId": _UUID,
    "voidedStatementId": _UUID,
    "agent": _TEXT,
    "verb": _IRI,
    "activity": _IRI,
    "registration": _UUID,
    "related_activities": _FLAG,
    "related_agents": _FLAG,
    "since": _TIME,
    "until": _TIME,
    "limit": {"type": "integer", "minimum": 0},
    "format": {"type": "string", "enum": ["ids", "exact", "canonical"], "default": "exact"},
    "attachments": _FLAG,
    "ascending": _FLAG,
}
# Parameters of the resources of documents, the required ones first.
_DOCUMENTS: dict[str, tuple[str, dict[str, dict[str, Any]], str, dict[str, dict[str, Any]]]] = {
    "/xapi/activities/state": ("state", {"activityId": _IRI, "agent": _TEXT}, "stateId", {"registration": _UUID}),
    "/xapi/activities/profile": ("activity_profile", {"activityId": _IRI}, "profileId", {}),
    "/xapi/agents/profile": ("agent_profile", {"agent": _TEXT}, "profileId", {}),
}


def add_xapi(document: dict[str, Any]) -> None:
    """Add the resources, their schemas, tags and ways to sign in."""
    components = document["components"]
    components["schemas"] |= SCHEMAS
    components["securitySchemes"] |= SECURITY
    document["tags"] = sorted([*document["tags"], *TAGS], key=lambda tag: str(tag["name"]))
    document["x-tagGroups"] = sorted([*document["x-tagGroups"], GROUP], key=lambda group: str(group["name"]))
    document["paths"] |= {"/xapi/statements": _statements(), **_resources()}
    for path, (name, needed, key, more) in _DOCUMENTS.items():
        document["paths"][path] = _documents(name, needed, key, more)


def _operation(name: str, summary: str, tag: str, answers: dict[str, dict[str, Any]], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - members of an operation
    parameters = [_VERSION, *more.pop("parameters", [])]
    problem = {"application/problem+json": {"schema": {"$ref": PROBLEM}}}
    refusals = {
        "400": "The request breaks a rule of xAPI.",
        "401": "The credential is missing or wrong.",
        "403": "The credential lacks a scope.",
        "429": "The credential has sent its requests of this minute.",
        "500": "Something went wrong on our side.",
        "503": "Something behind us did not answer.",
        "4XX": "Problem document (RFC 9457): refused",
        "5XX": "Problem document (RFC 9457): failed on our side; the request may be repeated",
    }
    return {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "security": [{"xapi": []}, {"xapi-token": []}],
        "parameters": parameters,
        **more,
        "responses": answers | {status: {"description": text, "content": problem} for status, text in refusals.items()},
    }


def _answer(text: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    content = {} if schema is None else {"content": {"application/json": {"schema": schema}}}
    return {"description": text, **content}


def _query(values: dict[str, dict[str, Any]], *, required: bool = False) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "required": required, "schema": schema} for name, schema in values.items()]


def _statements() -> dict[str, Any]:
    one, tag = {"$ref": "#/components/schemas/XapiStatement"}, "xapi-statements"
    many = {"type": "array", "items": one}
    ids = {"type": "array", "items": _UUID}
    found = {"oneOf": [{"$ref": "#/components/schemas/XapiStatementPage"}, one]}

    def body(schema: dict[str, Any], example: object) -> dict[str, Any]:
        return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}

    return {
        "get": _operation(
            "get_statements",
            "Statements by the filters of the standard, or one by its id",
            tag,
            {"200": _answer("statements, or the one", found)},
            parameters=_query(_FILTERS),
        ),
        "post": _operation(
            "send_statements",
            "Send statements",
            tag,
            {"200": _answer("the ids, in the order of the statements", ids)},
            requestBody=body({"oneOf": [many, one]}, [_EXAMPLE]),
        ),
        "put": _operation(
            "put_statement",
            "Send one statement under its id",
            tag,
            {"204": _answer("stored")},
            parameters=_query({"statementId": _UUID}, required=True),
            requestBody=body(one, _EXAMPLE),
        ),
    }


def _documents(
    name: str, needed: dict[str, dict[str, Any]], key: str, more: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    tag, words = "xapi-documents", name.replace("_", " ")
    whose = [*_query(needed, required=True), *_query(more)]
    one = [*whose, *_query({key: _TEXT}, required=True)]
    body = {
        "required": True,
        "content": {"application/json": {"schema": _ANY_OBJECT, "example": {"page": 3}}},
    }
    match = [{"name": "If-Match", "in": "header", "required": False, "schema": _TEXT}]
    found = {"oneOf": [{"type": "array", "items": _TEXT}, _ANY_OBJECT]}
    return {
        "get": _operation(
            f"get_{name}_document",
            f"A document of {words}, or the ids of those there are",
            tag,
            {"200": _answer("the document, or the ids", found)},
            parameters=[*whose, *_query({key: _TEXT, "since": _TIME})],
        ),
        "put": _operation(
            f"put_{name}_document",
            f"Write a document of {words}",
            tag,
            {"204": _answer("stored")},
            parameters=[*one, *match],
            requestBody=body,
        ),
        "post": _operation(
            f"merge_{name}_document",
            f"Merge members into a JSON document of {words}",
            tag,
            {"204": _answer("stored")},
            parameters=[*one, *match],
            requestBody=body,
        ),
        "delete": _operation(
            f"delete_{name}_document",
            f"Delete a document of {words}",
            tag,
            {"204": _answer("deleted")},
            parameters=[*one, *match],
        ),
    }


def _resources() -> dict[str, Any]:
    tag = "xapi-resources"
    about = _operation("get_xapi_about", "Versions of xAPI", tag, {"200": _answer("versions", _ANY_OBJECT)})
    about["parameters"], about["security"] = [], []
    return {
        "/xapi/about": {"get": about},
        "/xapi/activities": {
            "get": _operation(
                "get_activity",
                "What is known of an activity",
                tag,
                {"200": _answer("its definition", _ANY_OBJECT)},
                parameters=_query({"activityId": _IRI}, required=True),
            )
        },
        "/xapi/agents": {
            "get": _operation(
                "get_agent",
                "The Person with all identifiers of an agent",
                tag,
                {"200": _answer("the Person", _ANY_OBJECT)},
                parameters=_query({"agent": _TEXT}, required=True),
            )
        },
    }
