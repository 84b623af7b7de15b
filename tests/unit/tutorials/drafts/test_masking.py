"""What identifies people is masked, and what instructions need stays."""

import itertools
import string
from dataclasses import replace

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.tutorials.drafts.domain import Draft, DraftSection, DraftStep, DroppedStep, GlossaryEntry
from dataforge.contexts.tutorials.drafts.masking import (
    ACCOUNT,
    CARD,
    MAIL,
    PHONE,
    findings,
    mask,
    mask_draft,
    mask_segments,
)
from dataforge.contexts.tutorials.transcripts.domain import Segment
from infra.bench.tutorial_quality import open_ones


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to ada.lovelace+notes@example.org.", f"Write to {MAIL}."),
        ("Schreiben Sie an jürgen@büro-nord.example, bitte", f"Schreiben Sie an {MAIL}, bitte"),
        ("ada @ example.org", MAIL),
        ("you can reach me at ada at example dot org", f"you can reach me at {MAIL}"),
        ("it's tom dot hadley at fernhill dot co dot uk, with an e", f"it's {MAIL}, with an e"),
        ("also erika Punkt mustermann Klammeraffe beispiel Punkt de", f"also {MAIL}"),
        ("+49 151 23456789", PHONE),
        ("0049 431 1234567", PHONE),
        ("0431 / 12 34 56 ist meine Nummer", f"{PHONE} ist meine Nummer"),
        ("020 7946 0958 or 07700 900123", f"{PHONE} or {PHONE}"),
        ("(212) 736-5000, 212-736-5001 and 212.736.5002", f"{PHONE}, {PHONE} and {PHONE}"),
        ("Rückruf bitte unter 98765", "Rückruf bitte unter 98765"),
        ("Rückruf bitte unter 987654", f"Rückruf bitte unter {PHONE}"),
        ("call me on 736 5000", f"call me on {PHONE}"),
        ("null eins fünf eins zwei drei vier fünf sechs sieben acht", PHONE),
        ("my mobile is oh seven seven, oh oh, nine oh oh, one two three", f"my mobile is {PHONE}"),
        ("4111 1111 1111 1111, valid 12/28", f"{CARD}, valid 12/28"),
        ("378282246310005", CARD),
        ("the credit card is 4111 1111 1111 1112", f"the credit card is {CARD}"),
        ("DE89 3704 0044 0532 0130 00 bitte", f"{ACCOUNT} bitte"),
        ("GB82WEST12345698765432", ACCOUNT),
        ("Kontonummer 532013000, BLZ 370 400 44", f"Kontonummer {ACCOUNT}, BLZ {ACCOUNT}"),
        ("ada(at)example.org or ada [at] example [dot] org", f"{MAIL} or {MAIL}"),
        ("\uff14\uff11\uff11\uff11 1111 1111 1111 and ada\uff20example.org", f"{CARD} and {MAIL}"),
        ("+49\u00a0151\u202f23456789 or +49\u2011151\u201123456789", f"{PHONE} or {PHONE}"),
        ("account number 12345678, sort code 12-34-56", f"account number {ACCOUNT}, sort code {ACCOUNT}"),
    ],
)
def test_what_identifies_people_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "Install version 5.4.2.1007 or 2026.11.30 of it",
        "Connect to 10.0.0.17 port 8080, or to 192.168.178.254:54321",
        "fe80::1ff:fe23:4567:890a and 00:1B:44:11:3A:B7",
        "Error 0x80070005 and error 1603, code 0441123456",
        "order number 0441 123456, invoice 2024-000123, ticket INC00123456",
        "Bestellnummer 0431 123456 und Kundennummer 0471103",
        "on 30.11.2026 at 14:30, 2026-11-30T13:15:02Z, from 01.03.2026 to 02.04.2026",
        "1.234.567,89 € or 1 234 567 890 bytes, 3.14159265358979 and 0.123456789",
        "at 1700000000000 ms, commit 4812345678901234567890",
        "IMEI 490154203237518 and 35-209900-176148-1",
        "123e4567-e89b-12d3-a456-426614174000",
        "git clone git@github.com:org/repo.git, then ssh root@host.example.org",
        "pip install thing@1.2.3 and @types/node",
        "go to certs dot fernhill dot example, or look at docs dot example dot org",
        "the page is at status dot example dot org",
        "Halten Sie die Taste drei Sekunden, dann zwei, dann eins",
        "five point four point two, gateway North two",
        "it should be about a hundred and eighty megabytes",
        "2147483647 is the largest, 65535 the port's, 0000000 the default",
    ],
)
def test_what_instructions_need_stays(text: str) -> None:
    assert mask(text) == text


def test_conversations_without_such_data_stay_as_they_are() -> None:
    # "Certs dot fernhill", customer numbers, versions, amounts and times are in there.
    changed = [
        (segment.text, mask(segment.text))
        for labelled in open_ones()
        for segment in labelled.segments
        if mask(segment.text) != segment.text
    ]

    assert changed == []


WORDS = st.text(alphabet=string.ascii_letters + "äöüß ,.!?-", max_size=30)
NUMBERS = st.sampled_from(["DE", "GB", "US", "AT", "CH", "FR", "ES", "PL"]).flatmap(
    lambda region: st.sampled_from(
        [
            phonenumbers.example_number_for_type(region, kind)
            for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
        ]
    )
)


@given(WORDS, NUMBERS, WORDS)
def test_a_number_with_its_country_is_masked_wherever_it_stands(before, number, after) -> None:
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)

    masked = mask(f"{before} {written} {after}")

    assert PHONE in masked
    assert str(number.national_number)[-4:] not in masked


@given(
    st.text(alphabet=string.ascii_lowercase + string.digits + "._+-", min_size=1, max_size=20),
    st.lists(st.text(alphabet=string.ascii_lowercase, min_size=1, max_size=10), min_size=1, max_size=3),
    st.sampled_from(["org", "de", "example", "museum"]),
)
def test_a_written_mail_address_is_masked(local: str, labels: list[str], top: str) -> None:
    address = f"{local}@{'.'.join(labels)}.{top}"

    assert "@" not in mask(f"Mail to {address}, please.")


def with_check_digit(digits: str) -> str:
    total = sum(
        value - 9 * (value > 9)
        for place, digit in enumerate(reversed(digits))
        for value in [int(digit) * (2 - place % 2)]
    )
    return digits + str(-total % 10)


@given(
    st.sampled_from(["4", "51", "55", "2221", "35", "6011"]), st.text(alphabet=string.digits, min_size=14, max_size=14)
)
def test_a_card_number_is_masked_in_one_piece_and_in_groups(issuer: str, digits: str) -> None:
    number = with_check_digit((issuer + digits)[:15])
    groups = " ".join(number[at : at + 4] for at in range(0, 16, 4))

    assert mask(f"It is {number}.") == f"It is {CARD}."
    assert mask(f"It is {groups}.") == f"It is {CARD}."


@given(st.text(alphabet=string.digits, min_size=18, max_size=18))
def test_a_german_iban_is_masked(account: str) -> None:
    check = 98 - int(account + "131400") % 97
    number = f"DE{check:02}{account}"
    groups = " ".join(number[at : at + 4] for at in range(0, 22, 4))

    assert mask(f"an {number} bitte") == mask(f"an {groups} bitte") == f"an {ACCOUNT} bitte"


@given(st.text(max_size=200))
def test_masking_ends_and_findings_are_in_order(text: str) -> None:
    places = findings(text)

    assert all(one.end <= two.start for one, two in itertools.pairwise(places))
    assert all(0 <= place.start < place.end <= len(text) for place in places)


@given(st.text(alphabet="0123456789 ()+./-@aebot,\n", max_size=60))
def test_what_is_masked_stays_as_it_is_when_masked_again(text: str) -> None:
    once = mask(text)

    assert mask(once) == once


@given(st.text(alphabet=string.ascii_letters + " ,.!?äöüß", max_size=200))
def test_words_without_digits_signs_or_spelled_addresses_stay(text: str) -> None:
    if not any(word in text.lower() for word in ("dot", "punkt", "point", " at ", " et ")):
        assert mask(text) == text


def spoken(*texts: str, speakers: str) -> list[Segment]:
    return [
        Segment(index=index, start_ms=index * 1000, end_ms=index * 1000 + 900, text=text, speaker=speaker)
        for index, (text, speaker) in enumerate(zip(texts, speakers, strict=True))
    ]


def test_a_number_that_captions_break_in_two_is_masked_where_it_begins() -> None:
    segments = spoken("You find me at 0431", "12 34", "56, until noon.", speakers="AAA")

    assert [segment.text for segment in mask_segments(segments)] == [f"You find me at {PHONE}", "…", ", until noon."]


def test_what_two_speakers_say_is_not_read_as_one_number() -> None:
    segments = spoken("It is 0431", "123456 boxes?", speakers="AB")

    assert [segment.text for segment in mask_segments(segments)] == ["It is 0431", "123456 boxes?"]


@given(st.lists(st.text(alphabet="0123456789 +ab@.", min_size=1, max_size=12).filter(str.strip), max_size=6))
def test_segments_keep_their_number_and_are_never_empty(texts: list[str]) -> None:
    masked = mask_segments(spoken(*texts, speakers="A" * len(texts)))

    assert [segment.index for segment in masked] == list(range(len(texts)))
    assert all(segment.text for segment in masked)


def test_every_text_of_a_draft_is_masked() -> None:
    secret = "ada@example.org"
    draft = Draft(
        title=secret,
        summary=secret,
        prerequisites=(secret,),
        glossary=(GlossaryEntry(secret, secret, 0),),
        sections=(DraftSection(secret, 0, 1),),
        steps=(DraftStep(f"Write to {secret}.", 0, 900, 0, 0, 1.0),),
        expert="Ada",
        dropped=(DroppedStep(secret, secret),),
        engine="extractive",
        engine_version="1",
    )

    masked = mask_draft(draft)

    assert "@" not in repr(masked)
    assert masked.steps[0].text == f"Write to {MAIL}."
    assert masked.expert == "Ada"
    assert mask_draft(replace(draft, expert="+49 151 23456789")).expert == PHONE
