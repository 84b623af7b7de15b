"""Every event of a contract is published to webhooks, or is listed as internal with the reason; none says too much."""

from collections.abc import Iterator
from importlib import import_module
from uuid import UUID

import pytest

from dataforge.contexts.notifications.webhooks.events import INTERNAL, PUBLISHED, TEST, TYPES, PublishedEvent
from dataforge.kernel.events import Event, members
from tests.architecture.test_imports import CONTEXTS

# Members that hold what people have written, or are named by.
PERSONAL = {
    "email", "new_email", "student_name", "reason", "error", "title", "file_name", "name", "object_key", "username",
}  # fmt: skip


def contract_events() -> Iterator[type[Event]]:
    """The event classes of all contracts."""
    for context in sorted(path.parent.name for path in CONTEXTS.glob("*/contract.py")):
        contract = import_module(f"dataforge.contexts.{context}.contract")
        yield from (
            item
            for item in vars(contract).values()
            if isinstance(item, type) and issubclass(item, Event) and item.__module__ == contract.__name__
        )


def test_every_event_is_published_or_internal_with_a_reason() -> None:
    events = list(contract_events())

    assert {event for event in events if event not in PUBLISHED and event not in INTERNAL} == set()
    assert PUBLISHED.keys() & INTERNAL.keys() == set()
    assert all(len(reason) > 20 for reason in INTERNAL.values())
    assert len(events) == len({event.name for event in events}) == len(PUBLISHED) + len(INTERNAL)


@pytest.mark.parametrize("published", PUBLISHED.values(), ids=lambda item: item.type)
def test_what_is_shown_are_members_of_the_event_and_nothing_that_people_have_written(published: PublishedEvent) -> None:
    assert set(published.shown) <= members(published.event).keys()
    assert PERSONAL & {*published.shown, *published.derived} == set()


@pytest.mark.parametrize("published", PUBLISHED.values(), ids=lambda item: item.type)
def test_every_type_has_a_schema_of_its_deliveries(published: PublishedEvent) -> None:
    schema = published.schema()

    assert schema["properties"]["type"]["const"] == published.type == schema["title"]
    assert set(schema["$defs"]["Data"].get("properties", {})) == {*published.shown, *published.derived}
    assert schema["description"].endswith(".")


def test_no_event_has_the_type_of_a_test() -> None:
    assert TEST not in TYPES


def test_events_that_happen_in_workspaces_say_in_which() -> None:
    hidden = next(item for item in PUBLISHED.values() if item.type == "workspaces.workspace_hidden")
    workspace = UUID(int=7)

    assert hidden.workspace_of(hidden.event(workspace)) == workspace
    assert hidden.data_of(hidden.event(workspace)) == {}
