"""Items 2, 5 and 27 to 37 of the checklist: statements are read, in both versions of the standard."""

from typing import Any
from uuid import uuid4

import pytest

from dataforge.contexts.lrs.statements.domain import parse_timestamp
from tests.builders.statements import ACTOR, statement, substatement
from tests.integration.lrs.checklist.conftest import Spoken

BOUND = "X-Experience-API-Consistent-Through"
VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}
OTHER = {"objectType": "Agent", "mbox": "mailto:ben@example.org"}


def made(**changes: Any) -> dict[str, Any]:
    """A statement with an id."""
    return statement(id=str(uuid4()), **changes)


def about(target: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A statement whose object is a reference to another one."""
    verb = {"id": "https://example.org/verbs/confirmed"}
    return made(**{"verb": verb, "object": {"objectType": "StatementRef", "id": target["id"]}, **changes})


async def test_item_02_every_answer_has_its_bound_and_a_list_has_everything_up_to_it(store: Spoken) -> None:
    first = made()
    await store.send(first, load=False)

    answers = [await store.get(), await store.get(statementId=str(uuid4())), await store.get(verb="no IRI")]
    stored = (await store.get(statementId=first["id"])).json()["stored"]

    assert [answer.status_code for answer in answers] == [200, 404, 400]
    assert answers[0].json()["statements"] == []
    assert all(answer.headers[BOUND] < stored for answer in answers)


async def test_item_05_one_statement_says_when_it_was_stored(store: Spoken) -> None:
    first = made()
    await store.send(first)

    answer = await store.get(statementId=first["id"])

    stored = parse_timestamp(answer.json()["stored"])
    assert stored is not None
    assert answer.headers["Last-Modified"] == stored.strftime("%a, %d %b %Y %H:%M:%S GMT")


async def test_item_20_a_timestamp_comes_back_as_the_same_instant(store: Spoken) -> None:
    first = made(timestamp="2026-03-02T10:15:30.250+01:00")
    await store.send(first)

    found = (await store.get(statementId=first["id"])).json()["timestamp"]

    assert found == ("2026-03-02T09:15:30.25Z" if store.version == "2.0.0" else first["timestamp"])


@pytest.mark.parametrize("form", ["exact", "ids", "canonical"])
async def test_item_20_what_1_0_stored_is_read_in_utc_by_2_0_and_as_it_was_by_1_0(store: Spoken, form: str) -> None:
    target = {**substatement()["object"], "timestamp": "20201024T020000+0200"}
    sent = statement(timestamp="2020-10-24T00:00+01:00", object=target)
    [statement_id] = (await store.send(sent, **{"X-Experience-API-Version": "1.0.3"})).json()

    one = (await store.get(statementId=statement_id, format=form)).json()
    [listed] = (await store.get(format=form)).json()["statements"]

    wanted = {
        "1.0.3": ("2020-10-24T00:00+01:00", "20201024T020000+0200"),
        "2.0.0": ("2020-10-23T23:00:00Z", "2020-10-24T00:00:00Z"),
    }[store.version]
    assert (one["timestamp"], one["object"]["timestamp"]) == wanted
    assert (listed["timestamp"], listed["object"]["timestamp"]) == wanted


async def test_a_statement_is_read_by_its_id_as_soon_as_it_is_accepted(store: Spoken) -> None:
    first = made(timestamp="2026-03-02T10:15:30Z")
    await store.send(first, load=False)
    waiting = await store.get(statementId=first["id"].upper())

    await store.records.deliver()

    loaded = await store.get(statementId=first["id"])
    assert waiting.json() == loaded.json()
    assert loaded.json().items() >= first.items()
    assert await store.records.rows("SELECT 1 FROM lrs.pending_statements") == []


async def test_a_batch_that_cannot_be_queued_is_not_read(store: Spoken) -> None:
    first = made()
    store.records.front.acceptor._queue._url = "http://127.0.0.1:1/nowhere"

    answer = await store.send(first, load=False)

    assert answer.status_code == 503
    assert (await store.get(statementId=first["id"])).status_code == 404


async def test_item_27_a_statement_is_voided_also_when_it_comes_after_its_voiding(store: Spoken) -> None:
    target = made()
    await store.send(about(target, verb=VOIDED))

    await store.send(target)

    assert (await store.get(statementId=target["id"])).status_code == 404
    assert (await store.get(voidedStatementId=target["id"])).json()["id"] == target["id"]
    assert target["id"] not in await store.ids()


async def test_item_28_a_voided_statement_is_read_as_such_only_and_voiding_is_not_voided(store: Spoken) -> None:
    target = made()
    voiding = about(target, verb=VOIDED)
    await store.send(target)
    before = [(await store.get(**{name: target["id"]})).status_code for name in ("statementId", "voidedStatementId")]
    await store.send(voiding, load=False)
    await store.send(about(voiding, verb=VOIDED), load=False)
    waiting = [(await store.get(**{name: target["id"]})).status_code for name in ("statementId", "voidedStatementId")]

    await store.records.deliver()

    after = [(await store.get(**{name: target["id"]})).status_code for name in ("statementId", "voidedStatementId")]
    assert (before, waiting, after) == ([200, 404], [404, 200], [404, 200])
    assert (await store.get(statementId=voiding["id"])).status_code == 200
    assert voiding["id"] in await store.ids()


async def test_item_29_what_targets_a_voided_statement_stays_and_is_found_through_it(store: Spoken) -> None:
    target = made(verb={"id": "https://example.org/verbs/sighed"})
    voiding, other = about(target, verb=VOIDED), about(target)
    await store.send(target)
    await store.send(voiding)
    await store.send(other)

    assert await store.ids(verb="https://example.org/verbs/sighed") == [other["id"], voiding["id"]]


@pytest.mark.parametrize("target_first", [True, False])
async def test_item_30_a_reference_is_found_by_what_it_refers_to(store: Spoken, target_first: bool) -> None:
    target = made(actor=OTHER, context={"registration": str(uuid4())})
    first, second = about(target), None
    second = about(first)
    order = [target, first, second] if target_first else [second, first, target]
    for item in order:
        await store.send(item)

    by_agent = await store.ids(agent=OTHER)
    by_all = await store.ids(
        agent=OTHER, activity=target["object"]["id"], registration=target["context"]["registration"]
    )

    assert by_agent == by_all == [item["id"] for item in reversed(order)]
    # Both filters must be met by one and the same statement.
    assert await store.ids(agent=OTHER, verb="https://example.org/verbs/confirmed") == []


async def test_item_30_the_time_is_that_of_the_referring_statement(store: Spoken) -> None:
    target = made(actor=OTHER)
    await store.send(target)
    stored = (await store.get(statementId=target["id"])).json()["stored"]
    later = about(target)
    await store.send(later)

    assert await store.ids(agent=OTHER, since=stored) == [later["id"]]
    assert await store.ids(agent=OTHER, until=stored) == [target["id"]]


async def test_item_30_statements_that_refer_to_each_other_are_found_once(store: Spoken) -> None:
    first = made()
    second = about(first, actor=OTHER)
    first["object"] = {"objectType": "StatementRef", "id": second["id"]}
    await store.send(first, second)

    assert await store.ids(agent=OTHER) == [second["id"], first["id"]]


@pytest.mark.parametrize(
    "parameters",
    [
        {"verbs": "https://example.org/v"},
        {"Verb": "https://example.org/v"},
        {"StatementId": "x"},
        {"statementId": "not-a-uuid"},
        {"statementId": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee", "limit": "1"},
        {
            "statementId": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee",
            "voidedStatementId": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee",
        },
        {"agent": "nobody"},
        {"agent": '{"objectType":"Group","member":[{"mbox":"mailto:a@b.org"}]}'},
        {"verb": "relative"},
        {"activity": "relative"},
        {"registration": "7"},
        {"since": "yesterday"},
        {"until": "2026-13-01T00:00:00Z"},
        {"limit": "-1"},
        {"limit": "1.5"},
        {"limit": "²"},
        {"format": "Exact"},
        {"ascending": "yes"},
        {"related_agents": "1"},
        {"attachments": "maybe"},
        {"cursor": "!"},
        {"cursor": "AAAA"},
    ],
)
async def test_item_31_a_parameter_that_is_unknown_or_malformed_is_refused(
    store: Spoken, parameters: dict[str, str]
) -> None:
    answer = await store.get(**parameters)

    assert (answer.status_code, answer.json()["code"]) == (400, "xapi_parameter")


async def test_item_32_stored_orders_a_batch_and_bounds_a_list(store: Spoken) -> None:
    batch = [made() for _ in range(4)]
    await store.send(*batch)
    ids = [item["id"] for item in batch]
    stored = [(await store.get(statementId=item)).json()["stored"] for item in ids]

    assert stored == sorted(set(stored))
    assert await store.ids() == ids[::-1]
    assert await store.ids(ascending=True) == ids
    assert await store.ids(since=stored[1], until=stored[2]) == [ids[2]]
    assert await store.ids(limit=0) == ids[::-1]


@pytest.mark.parametrize("asked", [OTHER, {"objectType": "Group", "mbox": "mailto:crew@example.org"}])
async def test_item_33_agents_are_found_in_every_place(store: Spoken, asked: dict[str, Any]) -> None:
    group = {"objectType": "Group", "mbox": "mailto:crew@example.org", "member": [OTHER]}
    part = {"objectType": "SubStatement", **statement(actor=group)}
    direct = [made(actor=group), made(object={"objectType": "Group", **group})]
    related = [made(context={"team": group}), made(object=part)]
    if store.version == "2.0.0":
        role = {"objectType": "contextGroup", "group": group, "relevantTypes": ["https://example.org/types/crew"]}
        related.append(made(context={"contextGroups": [role]}))
    await store.send(*direct, *related, made())

    assert await store.ids(agent=asked, ascending=True) == [item["id"] for item in direct]
    assert await store.ids(agent=asked, related_agents=True, ascending=True) == [
        item["id"] for item in [*direct, *related]
    ]


async def test_item_33_the_authority_is_a_related_agent(store: Spoken) -> None:
    await store.send(made())
    authority = (await store.get()).json()["statements"][0]["authority"]

    assert await store.ids(agent=authority) == []
    assert len(await store.ids(agent=authority, related_agents=True)) == 1


async def test_item_33_activities_are_found_in_every_place(store: Spoken) -> None:
    activity = {"id": "https://example.org/courses/seamanship"}
    direct = made(object=activity)
    part = {"objectType": "SubStatement", **statement(object=activity)}
    related = [
        *(made(context={"contextActivities": {name: [activity]}}) for name in ("parent", "grouping", "category")),
        made(context={"contextActivities": {"other": activity}}),
        made(object=part),
    ]
    await store.send(direct, *related, made())

    assert await store.ids(activity=activity["id"]) == [direct["id"]]
    assert await store.ids(activity=activity["id"], related_activities=True, ascending=True) == [
        item["id"] for item in [direct, *related]
    ]


async def test_item_34_an_empty_result_has_no_more(store: Spoken) -> None:
    assert (await store.get(agent=OTHER)).json() == {"statements": [], "more": ""}


async def test_item_35_ids_are_what_identifies(store: Spoken) -> None:
    crew = {"objectType": "Group", "member": [{**OTHER, "name": "Ben"}]}
    first = made(context={"team": crew, "contextActivities": {"parent": [{"id": "https://example.org/p"}]}})
    first["object"]["definition"] = {"name": {"en": "Course"}}
    await store.send(first)

    found = (await store.get(statementId=first["id"], format="ids")).json()

    assert found["actor"] == {"objectType": "Agent", "mbox": ACTOR["mbox"]}
    assert found["object"] == {"id": first["object"]["id"]}
    assert found["verb"] == {"id": first["verb"]["id"]}
    assert found["context"]["team"] == {"objectType": "Group", "member": [OTHER]}


async def test_item_35_canonical_has_what_is_known_of_an_activity_in_one_language(store: Spoken) -> None:
    first, second = made(), made(actor=OTHER)
    first["object"]["definition"] = {"name": {"en-US": "Course", "fr-FR": "Cours"}}
    second["object"]["definition"] = {"description": {"en-US": "Long", "fr": "Longue"}}
    await store.send(first, second)

    french = {"Accept-Language": "de;q=0.1, fr;q=0.9"}
    one = (await store.get(statementId=first["id"], format="canonical", headers=french)).json()
    both = (await store.get(format="canonical", headers=french)).json()["statements"]

    assert one["object"]["definition"] == {"name": {"fr-FR": "Cours"}, "description": {"fr": "Longue"}}
    assert one["actor"] == first["actor"]
    assert all(len(item["verb"]["display"]) == 1 for item in both)


async def test_item_37_more_carries_the_question_and_needs_a_credential(store: Spoken) -> None:
    batch = [made() for _ in range(5)]
    await store.send(*batch, made(actor=OTHER))
    found: list[str] = []
    answer = await store.get(agent=ACTOR, limit=2, format="ids")
    pages = 0

    while True:
        found += [item["id"] for item in answer.json()["statements"]]
        assert all("name" not in item["actor"] for item in answer.json()["statements"])
        pages += 1
        more = answer.json()["more"]
        if not more:
            break
        assert more.startswith("/xapi/statements?")
        answer = await store.records.lms.get(more, headers=store.headers)

    assert (pages, found) == (3, [item["id"] for item in reversed(batch)])


async def test_item_37_more_has_the_path_in_front_of_ours(store: Spoken) -> None:
    await store.send(made(), made())

    answer = await store.get(limit=1, headers={"X-Forwarded-Prefix": "/prod"})

    assert answer.json()["more"].startswith("/prod/xapi/statements?")


async def test_item_45_head_is_get_without_the_content(store: Spoken) -> None:
    first = made()
    await store.send(first)

    got = await store.get(statementId=first["id"])
    head = await store.records.lms.head("/xapi/statements", params={"statementId": first["id"]}, headers=store.headers)

    assert (head.status_code, head.content) == (200, b"")
    assert {name for name in got.headers if name != "x-request-id"} <= set(head.headers)


@pytest.mark.parametrize(
    ("scopes", "own", "others"),
    [
        (("statements/read",), 200, 200),
        (("all/read",), 200, 200),
        (("statements/read/mine",), 200, 404),
        (("statements/write",), 403, 403),
    ],
)
async def test_a_credential_reads_what_its_scopes_allow(
    store: Spoken, scopes: tuple[str, ...], own: int, others: int
) -> None:
    first, second = made(), made()
    await store.send(first)
    auth = await store.records.credential(scopes=("statements/write", *scopes))
    body = {"json": second, "headers": store.headers, "auth": auth}
    await store.records.lms.post("/xapi/statements", **body)
    await store.records.deliver()

    async def asked(**parameters: str) -> Any:
        return await store.records.lms.get("/xapi/statements", params=parameters, headers=store.headers, auth=auth)

    answers = [await asked(statementId=item["id"]) for item in (second, first)]
    listed = await asked()

    assert [answer.status_code for answer in answers] == [own, others]
    if own == 200:
        ids = [item["id"] for item in listed.json()["statements"]]
        assert ids == ([second["id"], first["id"]] if others == 200 else [second["id"]])


async def test_statements_stored_without_keys_get_them_from_the_job(store: Spoken) -> None:
    target = made(actor=OTHER)
    await store.send(target, about(target))
    await store.records.change("DELETE FROM lrs.statement_keys")
    await store.records.change("DELETE FROM lrs.statement_references")
    await store.records.change("UPDATE records.statements_raw SET keyed = false")

    counts = await store.records.back.incremental_etl.run()

    assert counts["keyed"] == 2
    assert len(await store.ids(agent=OTHER)) == 2


async def test_a_statement_is_listed_before_its_flat_row_is_made(store: Spoken) -> None:
    first = made()
    await store.send(first)
    await store.records.change("DELETE FROM records.statements_flat")
    await store.records.change("UPDATE records.statements_raw SET state = 'pending'")

    assert await store.ids(agent=ACTOR) == [first["id"]]
