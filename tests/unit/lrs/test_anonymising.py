"""A person is taken out of every place of a statement, and the statement stays one."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.lrs.erasures.domain import HOME_PAGE, Anonymiser, ErasedPerson, mentions
from dataforge.contexts.lrs.statements.domain import XapiVersion, validate_statement
from tests.builders.statements import statement

MAIL = "ada.l@example.org"
SUM = "f6bb6b14a3ccb8f8d9d37d4b0e9ee8ab0a1d0b4a"
ADA: list[dict[str, Any]] = [
    {"mbox": f"mailto:{MAIL}", "name": "Ada L"},
    {"account": {"homePage": "https://moodle.example.org", "name": "user-1742"}},
    {"openid": "https://openid.example.org/ada"},
    {"mbox_sha1sum": SUM},
]
OTHER = {"mbox": "mailto:nada.l@example.org"}
WORDS = (MAIL, "user-1742", "openid.example.org/ada", SUM, "Ada L")
PLACES = (
    *("actor", "object", "authority", "instructor", "team", "member"),
    *("sub_actor", "sub_object", "agent", "group", "text"),
)


def placed(places: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A statement with people in these places."""

    def who(place: str) -> dict[str, Any]:
        return deepcopy(places.get(place, OTHER))

    context: dict[str, Any] = {
        "instructor": who("instructor"),
        "team": {"objectType": "Group", "mbox": "mailto:team@example.org", "member": [who("team"), OTHER]},
        "contextAgents": [{"objectType": "contextAgent", "agent": who("agent")}],
        "contextGroups": [{"objectType": "contextGroup", "group": {"objectType": "Group", "member": [who("group")]}}],
        "extensions": {"https://example.org/e": ["seen by", f"<{MAIL.upper()}>" if "text" in places else "nobody"]},
    }
    if "sub_actor" in places or "sub_object" in places:
        target: dict[str, Any] = {
            "objectType": "SubStatement",
            "actor": who("sub_actor"),
            "verb": {"id": "https://example.org/v"},
            "object": {"objectType": "Agent", **who("sub_object")},
        }
    else:
        target = {"objectType": "Agent", **who("object")}
    actor = {"objectType": "Group", "member": [who("member")]} if "member" in places else who("actor")
    return statement(actor=actor, object=target, context=context, authority=who("authority"), result={"response": "42"})


@given(st.dictionaries(st.sampled_from(PLACES), st.sampled_from(ADA), min_size=1), st.booleans())
def test_nothing_of_the_person_is_left_wherever_they_occur(places: dict[str, dict[str, Any]], responses: bool) -> None:
    before = placed(places)
    person = ErasedPerson.of(ADA)

    after = Anonymiser.of(person.is_agent, emails=person.emails, responses=responses).apply(before)

    text = json.dumps(after)
    assert [word for word in WORDS if word.lower() in text.replace("nada.l@", "").lower()] == []
    assert OTHER["mbox"] in text, "others stay"
    assert validate_statement(after, version=XapiVersion.V2_0) == []
    own = "actor" in places and "member" not in places
    assert ("response" in after["result"]) is not (own and responses)
    assert Anonymiser.of(person.is_agent, emails=person.emails, responses=responses).apply(after) == after
    assert not mentions(text, person)


def test_a_person_has_one_pseudonym_within_an_erasure_and_another_in_the_next() -> None:
    person = ErasedPerson.of(ADA)
    first = Anonymiser.of(person.is_agent, responses=False)

    names = [first.apply(statement(actor=agent))["actor"]["account"] for agent in ADA]

    assert len({account["name"] for account in names}) == 1
    assert {account["homePage"] for account in names} == {HOME_PAGE}
    other = Anonymiser.of(person.is_agent, responses=False).apply(statement(actor=ADA[0]))
    assert other["actor"]["account"]["name"] != names[0]["name"]


def test_a_statement_without_the_person_is_left_alone() -> None:
    person, given = ErasedPerson.of(ADA), placed({})

    assert Anonymiser.of(person.is_agent, emails=person.emails, responses=True).apply(given) == given


def test_the_sum_of_an_address_is_the_person() -> None:
    person = ErasedPerson.of([{"mbox": "mailto:Bob@Example.org"}])

    # printf mailto:bob@example.org | sha1sum
    assert person.is_agent({"mbox_sha1sum": "0c01e7ac3a0d2b7c0a8b2f3dbfa7dbba4f8a1a5e"}) is False
    assert person.is_agent({"mbox": "mailto:bob@example.org"})
    assert any(identity.startswith("sha1:") for identity in person.identities)


@pytest.mark.parametrize("own", [True, False])
def test_signatures_go_and_other_attachments_only_from_own_statements(own: bool) -> None:
    signature = {"usageType": "http://adlnet.gov/expapi/attachments/signature", "sha2": "1" * 64}
    essay = {"usageType": "https://example.org/essay", "sha2": "2" * 64}
    actor, instructor = (ADA[0], OTHER) if own else (OTHER, ADA[0])
    given = statement(actor=actor, context={"instructor": instructor}, attachments=[signature, essay])

    after = Anonymiser.of(ErasedPerson.of(ADA).is_agent, responses=False).apply(given)

    assert after.get("attachments", []) == ([] if own else [essay])
