"""Every rule of xAPI-Data 2 on a statement, broken in one place at a time."""

from typing import Any

import pytest

from dataforge.contexts.lrs.statements.domain import VOIDED, Rule, XapiVersion, validate_agent, validate_statement
from dataforge.contexts.lrs.statements.domain.validation.formats import is_iri, is_language_tag
from tests.builders.statements import (
    ACTOR,
    MISSING,
    articulate,
    changed,
    cmi5,
    full_statement,
    moodle_array,
    seventaps,
    statement,
    substatement,
    xapi_2_context,
)

V1, V2 = XapiVersion.V1_0, XapiVersion.V2_0
CHOICE = {"id": "a", "description": {"en": "A"}}
REFERENCE = {"objectType": "StatementRef", "id": "f1dc3573-e346-4bd0-b295-f5dde5cbe13f"}
GROUP = {"objectType": "Group", "member": [ACTOR]}


def broken(made: object, version: XapiVersion = V1) -> list[tuple[str, str]]:
    return [(found.pointer, found.rule) for found in validate_statement(made, version=version)]


@pytest.mark.parametrize("version", [V1, V2])
@pytest.mark.parametrize(
    "made",
    [
        statement(),
        full_statement(),
        full_statement(attachments=None, object=GROUP, context=None),
        statement(object={"objectType": "Agent", "mbox": "mailto:a@b.example"}),
        statement(object=REFERENCE),
        statement(actor=GROUP),
        statement(actor={"objectType": "Group", "name": "N", "openid": "https://people.example/n"}),
        statement(actor={"openid": "https://people.example/ana"}),
        statement(actor={"mbox_sha1sum": "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"}),
        statement(actor={"account": {"homePage": "https://h.example", "name": ""}}),
        statement(verb={"id": VOIDED}, object=REFERENCE),
        substatement(result={"completion": True}, timestamp="2026-03-02T09:00:00Z"),
        substatement(verb={"id": VOIDED}),
        statement(result={"extensions": {}}),
        statement(result={"score": {"scaled": -1, "raw": 3, "min": 3, "max": 4}}),
        statement(context={"platform": "p", "revision": "r"}, object={"id": "urn:x:1"}),
        statement(context={"contextActivities": {"parent": {"id": "urn:x:1"}}}),
        statement(authority={"objectType": "Group", "member": [ACTOR, ACTOR]}),
        *moodle_array(4),
        seventaps(),
        *(articulate(verb) for verb in ("experienced", "answered", "passed")),
        *(cmi5(verb) for verb in ("completed", "passed", "failed", "progressed", "satisfied")),
    ],
)
def test_a_statement_of_the_standard_is_valid(made: dict[str, Any], version: XapiVersion) -> None:
    assert validate_statement(made, version=version) == []


SMALL: list[tuple[str, object, str]] = [
    # required properties
    ("/actor", MISSING, Rule.MISSING),
    ("/verb", MISSING, Rule.MISSING),
    ("/object", MISSING, Rule.MISSING),
    ("/verb/id", MISSING, Rule.MISSING),
    ("/object/id", MISSING, Rule.MISSING),
    # names
    ("/Result", {}, Rule.UNKNOWN_PROPERTY),
    ("/extra", 1, Rule.UNKNOWN_PROPERTY),
    ("/actor/Name", "Ana", Rule.UNKNOWN_PROPERTY),
    ("/actor/member", [], Rule.UNKNOWN_PROPERTY),
    ("/verb/name", "x", Rule.UNKNOWN_PROPERTY),
    ("/object/name", "x", Rule.UNKNOWN_PROPERTY),
    # types
    ("/actor", "Ana", Rule.TYPE),
    ("/actor", [], Rule.TYPE),
    ("/actor/name", 5, Rule.TYPE),
    ("/verb", "completed", Rule.TYPE),
    ("/verb/display", "completed", Rule.TYPE),
    ("/object", "x", Rule.TYPE),
    ("/object/objectType", 3, Rule.TYPE),
    ("/actor/objectType", {}, Rule.TYPE),
    ("/result", [], Rule.TYPE),
    ("/context", "x", Rule.TYPE),
    ("/attachments", {}, Rule.TYPE),
    # enumerations
    ("/actor/objectType", "agent", Rule.ENUMERATION),
    ("/object/objectType", "activity", Rule.ENUMERATION),
    ("/object/objectType", "Person", Rule.ENUMERATION),
    # identifiers and IRIs
    ("/id", "AA97B177-9383-4934-8543-0F91A7A028368", Rule.UUID),
    ("/id", "MA97B177-9383-4934-8543-0F91A7A02836", Rule.UUID),
    ("/id", "{6690e6c9-3ef0-4ed3-8b37-7f3964730bee}", Rule.UUID),
    ("/id", "6690e6c93ef04ed38b377f3964730bee", Rule.UUID),
    ("/id", "6690e6c9-3ef0-4ed3-8b37-7f3964730bee\n", Rule.UUID),
    ("/id", 12, Rule.TYPE),
    ("/verb/id", "completed", Rule.IRI),
    ("/verb/id", "", Rule.IRI),
    ("/object/id", "ab=c://should.fail.com", Rule.IRI),
    ("/object/id", "https://example.org/a b", Rule.IRI),
    ("/object/id", "https://example.org/50%", Rule.IRI),
    # actor identifiers
    ("/actor/mbox", MISSING, Rule.IFI),
    ("/actor/mbox", "ana@example.org", Rule.MBOX),
    ("/actor/mbox", "mailto:ana.example.org", Rule.MBOX),
    ("/actor/mbox", "mailto:ana@example.org?subject=x", Rule.MBOX),
    ("/actor/mbox", 5, Rule.TYPE),
    ("/actor/openid", "https://people.example/ana", Rule.IFI),
    # times and version
    ("/timestamp", "should fail", Rule.TIMESTAMP),
    ("/timestamp", "01/011/2015", Rule.TIMESTAMP),
    ("/timestamp", "2026-03-02", Rule.TIMESTAMP),
    ("/timestamp", "2026-02-30T10:00:00Z", Rule.TIMESTAMP),
    ("/timestamp", "2008-09-15T15:53:00.601-00", Rule.TIMESTAMP),
    ("/timestamp", "2008-09-15T15:53:00.601-0000", Rule.TIMESTAMP),
    ("/timestamp", "2008-09-15T15:53:00.601-00:00", Rule.TIMESTAMP),
    ("/timestamp", "0001-01-01T00:00:00+14:00", Rule.TIMESTAMP),
    ("/timestamp", 1772442930, Rule.TYPE),
    ("/stored", "yesterday", Rule.TIMESTAMP),
    ("/version", "0.9.9", Rule.VERSION),
    ("/version", "1.1.0", Rule.VERSION),
    ("/version", 1.0, Rule.TYPE),
    # voiding
    ("/verb/id", VOIDED, Rule.VOIDING),
]


@pytest.mark.parametrize(("pointer", "value", "rule"), SMALL)
def test_a_broken_rule_is_named_with_its_place(pointer: str, value: object, rule: str) -> None:
    place = pointer
    if value is MISSING:
        place = pointer.rpartition("/")[0]
    elif rule == Rule.VOIDING:
        place = "/object"
    elif rule == Rule.IFI:
        place = "/actor"

    assert broken(changed(statement(), pointer, value)) == [(place, rule)]


FULL: list[tuple[str, object, str]] = [
    # language maps and tags
    ("/object/definition/name/something", "x", Rule.LANGUAGE_TAG),
    ("/object/definition/description/en-US", 5, Rule.TYPE),
    ("/object/definition/description/en-US", None, Rule.NULL),
    ("/context/language", "something", Rule.LANGUAGE_TAG),
    ("/context/language", 5, Rule.TYPE),
    ("/attachments/0/display/x_y", "x", Rule.LANGUAGE_TAG),
    # definitions and interactions
    ("/object/definition", "x", Rule.TYPE),
    ("/object/definition/type", "course", Rule.IRI),
    ("/object/definition/moreInfo", "more", Rule.IRI),
    ("/object/definition/interactionType", "choiCe", Rule.ENUMERATION),
    ("/object/definition/interactionType", 1, Rule.TYPE),
    ("/object/definition/correctResponsesPattern", "golf", Rule.TYPE),
    ("/object/definition/correctResponsesPattern/0", 1, Rule.TYPE),
    ("/object/definition/scale", [CHOICE], Rule.INTERACTION),
    ("/object/definition/choices", CHOICE, Rule.TYPE),
    ("/object/definition/choices/1/id", "golf", Rule.INTERACTION),
    ("/object/definition/choices/1/id", 7, Rule.TYPE),
    ("/object/definition/choices/1/Id", "x", Rule.UNKNOWN_PROPERTY),
    ("/object/definition/choices/1", "tetris", Rule.TYPE),
    ("/object/definition/extensions", "x", Rule.TYPE),
    ("/object/definition/extensions/not an iri", 1, Rule.IRI),
    # results
    ("/result/success", "true", Rule.TYPE),
    ("/result/success", 1, Rule.TYPE),
    ("/result/completion", "false", Rule.TYPE),
    ("/result/response", 7, Rule.TYPE),
    ("/result/duration", "PA1H0M0S", Rule.DURATION),
    ("/result/duration", "P", Rule.DURATION),
    ("/result/duration", 90, Rule.TYPE),
    ("/result/score", 0.5, Rule.TYPE),
    ("/result/score/scaled", 1.01, Rule.SCORE),
    ("/result/score/scaled", -1.01, Rule.SCORE),
    ("/result/score/scaled", "1", Rule.TYPE),
    ("/result/score/scaled", True, Rule.TYPE),
    ("/result/score/raw", 21, Rule.SCORE),
    ("/result/score/raw", -1, Rule.SCORE),
    ("/result/score/raw", "17", Rule.TYPE),
    ("/result/score/mean", 3, Rule.UNKNOWN_PROPERTY),
    ("/result/score/max", None, Rule.NULL),
    ("/result/extensions/plain", 1, Rule.IRI),
    # contexts
    ("/context/registration", "ec531277", Rule.UUID),
    ("/context/registration", None, Rule.NULL),
    ("/context/instructor", "Ida", Rule.TYPE),
    ("/context/instructor/account/homePage", "hr", Rule.IRI),
    ("/context/instructor/account/name", 17, Rule.TYPE),
    ("/context/instructor/account", "17", Rule.TYPE),
    ("/context/team", "x", Rule.TYPE),
    ("/context/team/objectType", "Agent", Rule.ENUMERATION),
    ("/context/team", {"objectType": "Group", "mbox_sha1sum": "zz"}, Rule.SHA1),
    ("/context/contextActivities", "x", Rule.TYPE),
    ("/context/contextActivities/parents", [], Rule.UNKNOWN_PROPERTY),
    ("/context/contextActivities/parent/0/id", "x", Rule.IRI),
    ("/context/contextActivities/grouping/id", "x", Rule.IRI),
    ("/context/contextActivities/grouping/objectType", "Agent", Rule.ENUMERATION),
    ("/context/contextActivities/category", "x", Rule.TYPE),
    ("/context/revision", 3, Rule.TYPE),
    ("/context/platform", {}, Rule.TYPE),
    ("/context/statement/id", "x", Rule.UUID),
    ("/context/statement/objectType", "statementref", Rule.ENUMERATION),
    ("/context/statement", "x", Rule.TYPE),
    ("/context/contextAgents", [], Rule.UNKNOWN_PROPERTY),
    # authority
    ("/authority", "x", Rule.TYPE),
    ("/authority/account/homePage", MISSING, Rule.MISSING),
    # attachments
    ("/attachments/0", "x", Rule.TYPE),
    ("/attachments/0/usageType", "x", Rule.IRI),
    ("/attachments/0/contentType", 5, Rule.TYPE),
    ("/attachments/0/contentType", "pdf", Rule.ATTACHMENT),
    ("/attachments/0/length", "4096", Rule.TYPE),
    ("/attachments/0/length", 4096.5, Rule.TYPE),
    ("/attachments/0/length", True, Rule.TYPE),
    ("/attachments/0/length", -1, Rule.ATTACHMENT),
    ("/attachments/0/sha2", "abc", Rule.ATTACHMENT),
    ("/attachments/0/sha2", {}, Rule.TYPE),
    ("/attachments/0/fileUrl", "file", Rule.IRI),
    ("/attachments/0/usageType", "http://adlnet.gov/expapi/attachments/signature", Rule.SIGNATURE),
    ("/attachments/0/fileUrl", MISSING, Rule.ATTACHMENT_DATA),
    ("/attachments/0/length", MISSING, Rule.MISSING),
]
ELSEWHERE = {
    Rule.SHA1: "/context/team/mbox_sha1sum",
    Rule.SIGNATURE: "/attachments/0",
    Rule.ATTACHMENT_DATA: "/attachments/0",
}


@pytest.mark.parametrize(("pointer", "value", "rule"), FULL)
def test_a_broken_rule_deep_inside_is_named_with_its_place(pointer: str, value: object, rule: Rule) -> None:
    place = pointer.rpartition("/")[0] if value is MISSING else pointer

    assert broken(changed(full_statement(), pointer, value)) == [(ELSEWHERE.get(rule, place), rule)]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (statement(actor={}), [("/actor", Rule.IFI)]),
        (statement(actor={"objectType": "Group"}), [("/actor", Rule.GROUP)]),
        (statement(actor={"objectType": "Group", "member": ACTOR}), [("/actor/member", Rule.TYPE)]),
        (statement(actor={"objectType": "Group", "member": [GROUP]}),
         [("/actor/member/0/objectType", Rule.ENUMERATION), ("/actor/member/0/member", Rule.UNKNOWN_PROPERTY),
          ("/actor/member/0", Rule.IFI)]),
        (statement(actor={"objectType": "Group", "mbox": "mailto:a@b.c", "openid": "urn:x:1"}),
         [("/actor", Rule.IFI)]),
        (statement(object={"mbox": "mailto:a@b.c"}),
         [("/object/mbox", Rule.UNKNOWN_PROPERTY), ("/object", Rule.MISSING)]),
        (statement(authority={"objectType": "Group", "member": [ACTOR]}), [("/authority", Rule.AUTHORITY)]),
        (statement(authority={"objectType": "Group", "member": [ACTOR] * 3}), [("/authority", Rule.AUTHORITY)]),
        (statement(authority={"objectType": "Group", "mbox": "mailto:a@b.c", "member": [ACTOR] * 2}),
         [("/authority", Rule.AUTHORITY)]),
        (statement(object={**REFERENCE, "id": None}), [("/object/id", Rule.NULL)]),
        (statement(object={"objectType": "StatementRef"}), [("/object", Rule.MISSING)]),
        (statement(object=GROUP, context={"platform": "p", "revision": "r"}),
         [("/context/revision", Rule.CONTEXT), ("/context/platform", Rule.CONTEXT)]),
        (statement(object=REFERENCE, context={"team": {"mbox": "mailto:a@b.c"}}), [("/context/team", Rule.MISSING)]),
        (statement(result={"score": {"min": 5, "max": 5}}), [("/result/score/min", Rule.SCORE)]),
        (statement(object={"id": "urn:x:1", "definition": {"choices": [CHOICE]}}),
         [("/object/definition/choices", Rule.INTERACTION)]),
        (statement(object={"id": "urn:x:1", "definition": {"correctResponsesPattern": ["a"]}}),
         [("/object/definition/correctResponsesPattern", Rule.INTERACTION)]),
        (statement(object={"id": "urn:x:1", "definition": {"interactionType": "choice", "choices": [{}]}}),
         [("/object/definition/choices/0", Rule.MISSING)]),
        (statement(actor={"mbox_sha1sum": 5}), [("/actor/mbox_sha1sum", Rule.TYPE)]),
        (statement(actor={"objectType": "Group", "member": ["Ana"]}), [("/actor/member/0", Rule.TYPE)]),
        (statement(context={"contextActivities": {"other": ["urn:x:1"]}}),
         [("/context/contextActivities/other/0", Rule.TYPE)]),
        ([statement()], [("", Rule.TYPE)]),
        (None, [("", Rule.NULL)]),
    ],
)  # fmt: skip
def test_a_rule_about_several_properties_is_named(made: object, expected: list[tuple[str, str]]) -> None:
    assert broken(made) == expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (substatement(id="6690e6c9-3ef0-4ed3-8b37-7f3964730bee"), [("/object/id", Rule.SUBSTATEMENT)]),
        (substatement(stored="2026-03-02T09:00:00Z"), [("/object/stored", Rule.SUBSTATEMENT)]),
        (substatement(version="1.0.0"), [("/object/version", Rule.SUBSTATEMENT)]),
        (substatement(authority=ACTOR), [("/object/authority", Rule.SUBSTATEMENT)]),
        (substatement(object=substatement()["object"]), [("/object/object", Rule.SUBSTATEMENT)]),
        (substatement(timestamp="x"), [("/object/timestamp", Rule.TIMESTAMP)]),
        (substatement(result={"score": {"scaled": 2}}), [("/object/result/score/scaled", Rule.SCORE)]),
        (substatement(object=REFERENCE, context={"platform": "p"}), [("/object/context/platform", Rule.CONTEXT)]),
        (substatement(context={"language": "x_y"}), [("/object/context/language", Rule.LANGUAGE_TAG)]),
        (substatement(actor=None), [("/object", Rule.MISSING)]),
        (changed(substatement(), "/object/objectType", "subStatement"), [("/object/objectType", Rule.ENUMERATION)]),
    ],
)
def test_a_substatement_follows_the_same_rules_and_its_own(made: object, expected: list[tuple[str, str]]) -> None:
    assert broken(made) == expected


def test_the_2_0_context_is_valid_in_2_0() -> None:
    assert broken(statement(context=xapi_2_context()), V2) == []


def test_the_2_0_context_is_unknown_in_1_0() -> None:
    found = broken(statement(context=xapi_2_context()), V1)

    assert found == [
        ("/context/contextAgents", Rule.UNKNOWN_PROPERTY),
        ("/context/contextGroups", Rule.UNKNOWN_PROPERTY),
    ]


@pytest.mark.parametrize(
    ("pointer", "value", "place", "rule"),
    [
        ("/contextAgents/0/objectType", "ContextAgent", None, Rule.ENUMERATION),
        ("/contextAgents/0/objectType", MISSING, "/contextAgents/0", Rule.MISSING),
        ("/contextAgents/0/agent", MISSING, "/contextAgents/0", Rule.MISSING),
        ("/contextAgents/0/agent", {}, None, Rule.IFI),
        ("/contextAgents/0/relevantTypes", [], None, Rule.CONTEXT_ROLE),
        ("/contextAgents/0/relevantTypes/0", "abc", None, Rule.IRI),
        ("/contextAgents/0/role", "abc", None, Rule.UNKNOWN_PROPERTY),
        ("/contextAgents/0", "abc", None, Rule.TYPE),
        ("/contextAgents", {}, None, Rule.TYPE),
        ("/contextGroups/0/objectType", "contextAgent", None, Rule.ENUMERATION),
        ("/contextGroups/0/group", {"mbox": "mailto:a@b.c"}, None, Rule.MISSING),
        ("/contextGroups/0", 1, None, Rule.TYPE),
        ("/contextGroups/0/relevantTypes", "abc", None, Rule.TYPE),
    ],
)
def test_a_broken_2_0_context_is_named(pointer: str, value: object, place: str | None, rule: str) -> None:
    made = changed(statement(context=xapi_2_context()), f"/context{pointer}", value)

    assert broken(made, V2) == [(f"/context{place or pointer}", rule)]


def test_the_2_0_line_takes_statements_of_both_versions() -> None:
    assert broken(statement(version="1.0.9"), V2) == []
    assert broken(statement(version="2.0.0"), V2) == []
    assert broken(statement(version="2.0.0"), V1) == [("/version", Rule.VERSION)]


def test_a_timestamp_without_offset_is_iso_8601_but_not_rfc_3339() -> None:
    made = statement(timestamp="2026-03-02T09:00:00")

    assert broken(made, V1) == []
    assert broken(made, V2) == [("/timestamp", Rule.TIMESTAMP)]


@pytest.mark.parametrize(
    "timestamp",
    ["2020-10-24T00:00Z", "20201024T000000Z", "2020-10-24T00:00:00+0000", "2020-10-24T00:00:00+00",
     "2020-10-24T00:00:00,5Z"],
)  # fmt: skip
def test_other_forms_of_iso_8601_are_for_the_1_0_line_only(timestamp: str) -> None:
    made = substatement(timestamp=timestamp)

    assert broken(made, V1) == []
    assert broken(made, V2) == [("/object/timestamp", Rule.TIMESTAMP)]


def test_question_sets_of_h5p_are_taken_in_the_1_0_line_only() -> None:
    definition = {"type": "http://adlnet.gov/expapi/activities/cmi.interaction", "interactionType": "compound"}
    made = statement(object={"id": "urn:x:1", "definition": {**definition, "correctResponsesPattern": []}})
    listing = statement(object={"id": "urn:x:1", "definition": {**definition, "choices": [CHOICE]}})

    assert broken(made, V1) == []
    assert broken(listing, V1) == [("/object/definition/choices", Rule.INTERACTION)]
    assert broken(made, V2) == [("/object/definition/interactionType", Rule.ENUMERATION)]


def test_null_inside_extensions_is_kept() -> None:
    extensions = {"https://example.org/x": None, "https://example.org/y": {"deep": [None]}}

    assert broken(statement(result={"extensions": extensions})) == []


def test_every_violation_is_collected_at_once() -> None:
    made = statement(actor={}, verb={"id": "x"}, extra=1, timestamp="x")

    assert broken(made) == [
        ("/actor", Rule.IFI),
        ("/verb/id", Rule.IRI),
        ("/extra", Rule.UNKNOWN_PROPERTY),
        ("/timestamp", Rule.TIMESTAMP),
    ]


def test_pointers_start_at_the_place_of_the_statement_in_the_request() -> None:
    made = changed(statement(), "/object/definition", {"extensions": {"a/b~c": 1}})

    found = validate_statement(made, version=V1, path="/3")

    assert [one.pointer for one in found] == ["/3/object/definition/extensions/a~1b~0c"]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (statement(Result={}), "did you mean `result`?"),
        (statement(contxt={}), "did you mean `context`?"),
        (statement(colour="red"), "own data belongs into `extensions`"),
        (statement(result={"success": None, "score": {"raw": "1"}}), "must be a finite number; it is a string"),
        (statement(actor={"mbox": "mailto:a@b.c", "openid": "urn:x:1"}), "this one has mbox and openid"),
    ],
)
def test_messages_say_what_was_found_and_what_to_do(made: dict[str, Any], words: str) -> None:
    assert words in " ".join(found.message for found in validate_statement(made, version=V1))


def test_attachments_and_signatures_are_fine_when_their_data_came_along() -> None:
    sha2 = "495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a"
    made = changed(full_statement(), "/attachments/0/fileUrl", MISSING)
    signed = changed(made, "/attachments/0/usageType", "http://adlnet.gov/expapi/attachments/signature")

    assert validate_statement(made, version=V1, part_hashes=frozenset({sha2})) == []
    assert validate_statement(signed, version=V1, part_hashes=frozenset({sha2})) == []


def test_an_extension_has_a_limited_depth() -> None:
    deep: object = 1
    for _ in range(150):
        deep = [deep]

    found = broken(statement(result={"extensions": {"https://example.org/x": deep}}))

    assert found == [("/result/extensions/https:~1~1example.org~1x", Rule.EXTENSION_DEPTH)]


def test_a_statement_of_nothing_but_mistakes_is_not_reported_without_end() -> None:
    made = {**statement(), **{f"x{number}": 1 for number in range(5000)}}

    assert len(broken(made)) == 1000


@pytest.mark.parametrize(
    "tag",
    ["de", "en-US", "zh-Hant", "sr-Latn-RS", "cmn", "zh-yue-HK", "es-419", "de-CH-1996", "sl-rozaj-biske",
     "en-a-myext-b-another", "x-whatever", "de-x-private", "i-klingon", "zh-min-nan", "EN-us"],
)  # fmt: skip
def test_a_well_formed_language_tag_is_accepted(tag: str) -> None:
    assert is_language_tag(tag)


@pytest.mark.parametrize(
    "tag",
    ["", "something", "en_US", "e", "zh-z-aaa-z-bbb-c-ccc", "de-1996-1996", "en-", "-en", "de-a", "en-x", "ë",
     "a" * 300, "en-US-US-US"],
)  # fmt: skip
def test_a_malformed_language_tag_is_refused(tag: str) -> None:
    assert not is_language_tag(tag)


@pytest.mark.parametrize(
    "iri",
    ["https://example.org", "urn:articulate:storyline:5", "mailto:a@b", "http://bücher.example/ä?x=%20#y", "a+b.c-d:x"],
)
def test_an_absolute_iri_is_accepted(iri: str) -> None:
    assert is_iri(iri)


@pytest.mark.parametrize(
    "iri",
    ["", "should fail", "//host/x", "http:", "1a:x", "a b:c", 'http://x/"', "http://x/<y>", "http://x/%zz", "x:\u00a0"],
)
def test_a_relative_or_broken_iri_is_refused(iri: str) -> None:
    assert not is_iri(iri)


def test_an_agent_on_its_own_is_checked() -> None:
    assert validate_agent({"mbox": "mailto:a@b.example"}) == []
    assert validate_agent(GROUP, group_allowed=True) == []
    assert [found.rule for found in validate_agent({"mbox": "x"}, path="/agent")] == [Rule.MBOX]
