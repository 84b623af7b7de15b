"""tincan of PyPI, in an environment of its own: prints what became of each step, as the clients in Node do."""

import json
import os
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

from tincan import (
    Activity,
    ActivityDefinition,
    Agent,
    LanguageMap,
    RemoteLRS,
    Statement,
    StatementRef,
    Verb,
)
from tincan.documents import ActivityProfileDocument, StateDocument

RUN = os.environ["XAPI_RUN"]
VERBS = "http://adlnet.gov/expapi/verbs/"
store = RemoteLRS(
    version="1.0.3",
    endpoint=os.environ["XAPI_ENDPOINT"],
    username=os.environ["XAPI_KEY"],
    password=os.environ["XAPI_SECRET"],
)
agent = Agent(mbox=f"mailto:{RUN}@example.org", name="Ana Roux")
activity = Activity(
    id=f"https://example.org/activities/{RUN}", definition=ActivityDefinition(name=LanguageMap({"en-US": "A lesson"}))
)
sent: list[str] = []


def statement(verb: str = "experienced", **more: Any) -> Statement:
    return Statement(actor=agent, verb=Verb(id=VERBS + verb), object=activity, **more)


def done(answer: Any) -> Any:
    if not answer.success:
        raise RuntimeError(f"{answer.response.status} {answer.data!r}")
    return answer.content


def check(condition: object, message: str) -> None:
    if not condition:
        raise RuntimeError(message)


def ids_of(result: Any) -> list[str]:
    return [str(item.id) for item in result.statements]


def about() -> Any:
    return [str(version) for version in done(store.about()).version]


def one_statement() -> str:
    stored = done(store.save_statement(statement()))
    sent.append(str(stored.id))
    check(str(done(store.retrieve_statement(stored.id)).id) == str(stored.id), "another statement came back")
    return sent[-1]


def with_own_id() -> str:
    stored = done(store.save_statement(statement(id=str(uuid.uuid4()))))
    return str(stored.id)


def batch() -> list[str]:
    stored = done(store.save_statements([statement("attended"), statement("attended")]))
    sent.extend(str(item.id) for item in stored)
    return sent[-2:]


def attachment() -> str:
    listed = [
        {
            "usageType": "http://id.tincanapi.com/attachment/supporting_media",
            "display": {"en-US": "A file"},
            "contentType": "text/plain",
            "length": 3,
            "sha2": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        }
    ]
    return str(done(store.save_statement(statement("interacted", attachments=listed))).id)


def state() -> None:
    where = {"activity": activity, "agent": agent}
    done(
        store.save_state(StateDocument(id="bookmark", content=bytearray(b"page 1"), content_type="text/plain", **where))
    )
    found = done(store.retrieve_state(state_id="bookmark", **where))
    check(bytes(found.content) == b"page 1", "the document came back changed")
    found.content = bytearray(b"page 2")
    done(store.save_state(found))
    check("bookmark" in done(store.retrieve_state_ids(**where)), "the id is not listed")
    done(store.delete_state(found))


def first_profiles() -> None:
    done(store.save_activity_profile(ActivityProfileDocument(id="first", activity=activity, content=bytearray(b"one"))))


def profiles() -> None:
    # The test has put both: this client sends no precondition for a first one, and reads no tag of an answer.
    def tagged(answer: Any) -> Any:
        document = done(answer)
        document.etag = answer.response.getheader("ETag")
        return document

    kept = tagged(store.retrieve_activity_profile(activity, "settings"))
    kept.content = bytearray(b"two")
    done(store.save_activity_profile(kept))
    whose = tagged(store.retrieve_agent_profile(agent, "settings"))
    whose.content = bytearray(b"two")
    done(store.save_agent_profile(whose))
    check(bytes(done(store.retrieve_agent_profile(agent, "settings")).content) == b"two", "another profile")
    done(store.delete_activity_profile(tagged(store.retrieve_activity_profile(activity, "settings"))))


def queries() -> int:
    for _ in range(120):
        listed = ids_of(done(store.query_statements({"agent": agent, "activity": activity})))
        if set(sent) <= set(listed):
            break
        time.sleep(0.25)
    check(set(sent) <= set(listed), "what was sent was never listed")
    attended = done(store.query_statements({"agent": agent, "verb": Verb(id=f"{VERBS}attended"), "ascending": True}))
    check(ids_of(attended) == sent[1:], "the filter found others")
    return len(listed)


def more() -> int:
    page = done(store.query_statements({"agent": agent, "limit": 1}))
    found = ids_of(page)
    while page.more:
        page = done(store.more_statements(page))
        found += ids_of(page)
    check(set(sent) <= set(found) and len(set(found)) == len(found), "paging lost or repeated statements")
    return len(found)


def voiding() -> str:
    done(store.save_statement(Statement(actor=agent, verb=Verb(id=f"{VERBS}voided"), object=StatementRef(id=sent[0]))))
    return str(done(store.retrieve_voided_statement(sent[0])).id)


STEPS: dict[str, Callable[[], Any]] = {
    "about": about,
    "statement": one_statement,
    "statement with an id": with_own_id,
    "batch": batch,
    "text attachment": attachment,
    "state": state,
    "first profiles": first_profiles,
    "profiles": profiles,
    "queries": queries,
    "more": more,
    "voiding": voiding,
}
outcomes: dict[str, Any] = {}
for name, step in STEPS.items():
    try:
        outcomes[name] = {"ok": True, "value": step()}
    except Exception as error:  # noqa: BLE001 - whatever the client raises is what is to be reported
        outcomes[name] = {"ok": False, "error": f"{type(error).__name__}: {error}"}
json.dump(outcomes, sys.stdout)
