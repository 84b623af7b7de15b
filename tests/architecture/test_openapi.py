"""The committed OpenAPI document and error list say what the code does."""

import json
from pathlib import Path

from infra.openapi.generate import HERE, REGISTRY, error_list, error_registry, openapi


def test_the_committed_document_is_current() -> None:
    assert json.loads((HERE / "openapi.json").read_text()) == json.loads(json.dumps(openapi()))


def test_the_committed_error_list_is_current() -> None:
    assert Path(HERE / "errors.md").read_text() == error_list()
    assert json.loads(REGISTRY.read_text()) == error_registry()


def test_every_operation_has_a_summary_and_answers_problems() -> None:
    operations = [item for path in openapi()["paths"].values() for item in path.values()]

    assert operations
    for operation in operations:
        assert operation["summary"]
        assert "4XX" in operation["responses"]
