"""Files of captions as the products write them, and as people break them."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.tutorials.transcripts.domain import (
    MAX_FILE_BYTES,
    MAX_SEGMENT_CHARACTERS,
    Segment,
    TranscriptFormat,
    TranscriptTooLarge,
    TranscriptUnreadable,
)
from dataforge.contexts.tutorials.transcripts.parsing.reading import parse_phrases, parse_transcript

FIXTURES = Path(__file__).parents[3] / "fixtures" / "transcripts"
SPAN = "00:00:01.000 --> 00:00:02.000"


def read(text: str) -> list[tuple[int, int, str | None, str]]:
    """The segments of a file as tuples."""
    return [(s.start_ms, s.end_ms, s.speaker, s.text) for s in parse_transcript(text.encode()).segments]


def texts(text: str) -> list[str]:
    return [segment.text for segment in parse_transcript(text.encode()).segments]


def speakers(text: str) -> list[str | None]:
    return [segment.speaker for segment in parse_transcript(text.encode()).segments]


def refusal(data: str | bytes) -> TranscriptUnreadable:
    with pytest.raises(TranscriptUnreadable) as caught:
        parse_transcript(data.encode() if isinstance(data, str) else data)
    return caught.value


def stamp(ms: int, point: str = ".") -> str:
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{point}{ms % 1000:03d}"


# WebVTT


def test_voices_of_one_cue_are_segments_of_their_own() -> None:
    said = read(f"WEBVTT\n\n{SPAN}\n<v.loud Dr. Ana Núñez>Hello</v> <v Bo>Hi\nthere\n")

    assert said == [(1000, 2000, "Dr. Ana Núñez", "Hello"), (1000, 2000, "Bo", "Hi there")]


def test_markup_goes_and_what_only_looks_like_it_stays() -> None:
    line = "<c.yellow.bg_blue>Press</c> <lang de>Strg</lang> &amp; <i>F5</i>, a &lt;b&gt; if a < b > c <div id=x>"

    assert texts(f"WEBVTT\n\n{SPAN}\n{line}\n") == ["Press Strg & F5, a <b> if a < b > c <div id=x>"]


def test_ruby_is_beside_its_base() -> None:
    assert texts(f"WEBVTT\n\n{SPAN}\n<ruby>東<rt>tō</rt>京<rt>kyō</rt></ruby>\n") == ["東 tō 京 kyō"]


def test_notes_styles_regions_and_settings_are_not_said() -> None:
    text = (
        "WEBVTT - a title\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n\nSTYLE\n::cue { color: red }\n\n"
        "REGION\nid:bottom\nwidth:40%\n\nNOTE\nwritten\nby hand\n\n"
        "intro\n00:01.000 --> 00:02.000 align:start position:10%\nHello\n\nNOTE the end\n"
    )

    assert read(text) == [(1000, 2000, None, "Hello")]


def test_cues_come_in_the_order_in_which_they_begin() -> None:
    spans = ("00:05.000 --> 00:09.000\nlater", "00:01.000 --> 00:07.000\nearlier", "00:05.000 --> 00:06.000\nsame")
    text = "\n\n".join(("WEBVTT", *spans))

    assert texts(text) == ["earlier", "later", "same"]


def test_a_cue_that_ends_before_it_begins_lasts_no_time() -> None:
    assert read("WEBVTT\n\n00:05.000 --> 00:02.000\nx\n") == [(5000, 5000, None, "x")]


def test_hours_may_be_left_out_and_may_have_three_digits() -> None:
    text = "WEBVTT\n\n100:00:01.000 --> 100:00:02.000\na\n\n101:59:00.000 --> 101:59:01.000\nb\n"

    assert [start for start, *_ in read(text)] == [360_001_000, 367_140_000]
    assert read("WEBVTT\n\n59:01.000 --> 59:02.000\na\n")[0][0] == 3_541_000


def test_text_after_an_empty_line_belongs_to_the_cue_before() -> None:
    assert texts(f"WEBVTT\n\n{SPAN}\none\n\ntwo\n\nNOTE x\n\n3\n00:03.000 --> 00:04.000\nthree\n") == [
        "one two",
        "three",
    ]


def test_cues_without_an_empty_line_between_them_are_told_apart() -> None:
    assert texts(f"WEBVTT\n1\n{SPAN}\none\n2\n00:03.000 --> 00:04.000\ntwo\n00:05.000 --> 00:06.000\n3\n") == [
        "one",
        "two",
        "3",
    ]


def test_the_first_line_may_be_lost() -> None:
    assert read("00:01.000 --> 00:02.000\nhi\n") == [(1000, 2000, None, "hi")]
    assert refusal("00:01.000 --> 00:02.000\nhi\n\n00:0x --> 1\n").facts == {"line": 4}


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("cp1252", b""),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_ends_of_lines_make_no_difference(encoding: str, mark: bytes, end: str) -> None:
    text = f"WEBVTT\n\n{SPAN}\nGrüße aus Köln\n"

    read_back = parse_transcript(mark + text.replace("\n", end).encode(encoding))

    assert [segment.text for segment in read_back.segments] == ["Grüße aus Köln"]
    assert read_back.digest == parse_transcript(text.encode()).digest


def test_utf_16_is_known_without_a_mark() -> None:
    assert parse_transcript(f"WEBVTT\n\n{SPAN}\nhello\n".encode("utf-16-be")).segments[0].text == "hello"


def test_text_is_composed_and_has_no_characters_that_nobody_sees() -> None:
    assert texts(f"WEBVTT\n\n{SPAN}\nCafe\u0301\u200b \u00a0 au \u202alait\u202c\n") == ["Café au lait"]


# YouTube

ROLLING = """WEBVTT
Kind: captions
Language: en

00:00:00.240 --> 00:00:02.350 align:start position:0%
{blank}
hello<00:00:00.480><c> and</c><00:00:00.640><c> welcome</c>

00:00:02.350 --> 00:00:02.360 align:start position:0%
hello and welcome
{blank}

00:00:02.360 --> 00:00:04.230 align:start position:0%
hello and welcome
no<00:00:02.560><c> no</c><00:00:02.800><c> no</c>

00:00:04.230 --> 00:00:04.240 align:start position:0%
no no no
{blank}

00:00:04.240 --> 00:00:06.000 align:start position:0%
no no no
no no no

00:00:06.000 --> 00:00:06.010 align:start position:0%
no no no
{blank}

00:00:06.010 --> 00:00:08.000 align:start position:0%
no no no
okay
"""


@pytest.mark.parametrize("blank", [" ", ""])
def test_rolling_captions_have_each_line_once_in_the_time_it_is_said(blank: str) -> None:
    text = ROLLING.format(blank=blank)

    assert read(text) == [
        (240, 2350, None, "hello and welcome"),
        (2360, 4230, None, "no no no"),
        (4240, 6000, None, "no no no"),
        (6010, 8000, None, "okay"),
    ]
    assert parse_transcript(text.encode()).language == "en"


def test_rolling_captions_roll_in_srt_too() -> None:
    lines = ["we open the menu", "and choose settings", "then we save", "and close it"]
    cues = []
    for place, line in enumerate(lines):
        shown = f"{lines[place - 1]}\n{line}" if place else line
        cues.append(f"{place + 1}\n{stamp(place * 2000, ',')} --> {stamp(place * 2000 + 2000, ',')}\n{shown}\n")

    assert texts("\n".join(cues)) == lines


def test_what_somebody_says_again_and_again_is_no_rolling() -> None:
    cues = "\n\n".join(f"{stamp(n * 1000)} --> {stamp(n * 1000 + 1000)}\nPress enter." for n in range(5))

    assert texts(f"WEBVTT\n\n{cues}\n") == ["Press enter."] * 5


WORD = st.text("abcdefghij", min_size=1, max_size=6)
LINES = st.lists(st.lists(WORD, min_size=1, max_size=6).map(" ".join), min_size=4, max_size=20)


@given(LINES)
def test_a_rolled_text_unrolls_to_its_lines(lines: list[str]) -> None:
    blocks = []
    for place, line in enumerate(lines):
        start, first, *rest = place * 3000, *line.split()
        tagged = first + "".join(f"<{stamp(start + 100 + n)}><c> {word}</c>" for n, word in enumerate(rest))
        above = lines[place - 1] if place else " "
        blocks.append(f"{stamp(start)} --> {stamp(start + 2990)}\n{above}\n{tagged} <{stamp(start + 2000)}>\n")
        blocks.append(f"{stamp(start + 2990)} --> {stamp(start + 3000)}\n{line}\n \n")

    assert texts("WEBVTT\n\n" + "\n".join(blocks)) == lines


# Zoom and Teams


@pytest.mark.parametrize(
    "name",
    [
        "+49 170 1234567",
        "4917****567",
        "Room #3 (Berlin)",
        "\U0001f389 Max",
        "R&D | Tom",
        '"Kid" Bo',
        "Lee; Ann",
        "@ann",
    ],
)
def test_people_in_zoom_are_called_as_they_please(name: str) -> None:
    lines = ["Ana Lee: Hello.", f"{name}: Open the lid.", f"{name}: Then close it.", "so the thing is; this: it works"]
    lines += ["Ana Lee: Now press OK.", "Ana Lee: Bye."]
    text = "WEBVTT\n\n" + "".join(
        f"{number}\n{stamp(number * 1000)} --> {stamp(number * 1000 + 900)}\n{line}\n\n"
        for number, line in enumerate(lines, 1)
    )

    assert speakers(text) == ["Ana Lee", name, name, None, "Ana Lee", "Ana Lee"]


def test_webex_names_who_speaks_where_captions_are_numbered() -> None:
    text = f'WEBVTT\n\n1 "Jane Doe" (2283823616)\n{SPAN}\nHello.\n\n2 "Bo" (5)\n{SPAN}\nYes: now.\n'

    assert [(speaker, said) for _, _, speaker, said in read(text)] == [("Jane Doe", "Hello."), ("Bo", "Yes: now.")]


def test_two_who_are_named_line_by_line_in_one_caption_are_two_voices() -> None:
    text = f"1\n{SPAN}\nANN: Open it.\nBOB: <i>Why?</i>\n\n2\n{SPAN}\nANN: So.\nanother line\n"
    voiced = f"WEBVTT\n\n{SPAN}\n<v Ann>Lid: open it.\nKey: press it.</v>\n"

    assert [(who, said) for _, _, who, said in read(text)] == [
        ("ANN", "Open it."),
        ("BOB", "Why?"),
        ("ANN", "So. another line"),
    ]
    assert [(who, said) for _, _, who, said in read(voiced)] == [("Ann", "Lid: open it. Key: press it.")]


@pytest.mark.parametrize("word", ["OK", "USB", "HTTPS", "Внимание", "注意"])
def test_a_word_with_a_colon_that_is_no_name_stays_in_the_text(word: str) -> None:
    text = f"1\n{SPAN}\n{word}: one\n\n2\n{SPAN}\n{word}: two\n\n3\n{SPAN}\n王小明：你好\n\n4\n{SPAN}\n王小明：再见\n"

    assert speakers(text) == [None, None, "王小明", "王小明"]


def test_zoom_puts_names_before_the_text() -> None:
    text = "WEBVTT\n\n" + "".join(
        f"{number}\n{stamp(number * 1000)} --> {stamp(number * 1000 + 900)}\n{line}\n\n"
        for number, line in enumerate(
            [
                "Zoë van den Berg (she/her): Good morning.",
                "Note: the time is 10:30: fine",
                "15551234567: I am on the phone",
                "see https://example.org: it is there",
                "iPhone: So: click here",
                "10:30: we begin",
                "O'Neill-García, José [Guest]: Hello",
                "so the thing is: it works",
                "Zoë van den Berg (she/her): Bye.",
            ],
            1,
        )
    )

    assert parse_transcript(text.encode()).format is TranscriptFormat.ZOOM
    assert [(speaker, said) for _, _, speaker, said in read(text)] == [
        ("Zoë van den Berg (she/her)", "Good morning."),
        (None, "Note: the time is 10:30: fine"),
        ("15551234567", "I am on the phone"),
        (None, "see https://example.org: it is there"),
        ("iPhone", "So: click here"),
        (None, "10:30: we begin"),
        ("O'Neill-García, José [Guest]", "Hello"),
        (None, "so the thing is: it works"),
        ("Zoë van den Berg (she/her)", "Bye."),
    ]


def test_teams_names_cues_by_guids_and_voices() -> None:
    identifier = "0f3a1b2c-1111-2222-3333-444455556666"
    text = (
        f"WEBVTT\n\n{identifier}/12-0\n00:00:03.123 --> 00:00:05.000\n<v Müller, Jörg (Extern)>Guten Tag &amp; hallo\n"
        f"zusammen.</v>\n\n{identifier}/12-1\n00:00:05.000 --> 00:00:06.000\n<v Ana>Hallo: ja</v>\n"
    )
    read_back = parse_transcript(text.encode())

    assert read_back.format is TranscriptFormat.TEAMS
    assert read(text) == [
        (3123, 5000, "Müller, Jörg (Extern)", "Guten Tag & hallo zusammen."),
        (5000, 6000, "Ana", "Hallo: ja"),
    ]


def test_teams_as_its_service_gives_it_has_voices_and_no_names_of_cues() -> None:
    assert parse_transcript(f"WEBVTT\n\n{SPAN}\n<v Ana>Hi.</v>\n".encode()).format is TranscriptFormat.TEAMS
    assert parse_transcript(f"WEBVTT\n\n{SPAN}\n<v Ana>Hi.\n".encode()).format is TranscriptFormat.VTT


def test_earlier_teams_exports_say_confidence_and_language_in_notes() -> None:
    identifier = "0f3a1b2c-1111-2222-3333-44445555666"
    text = (
        'WEBVTT\n\nNOTE duration:"00:10:00"\n\nNOTE language:en-us\n\nNOTE Confidence: 0.91\n\n'
        f"{identifier}7\n00:00:01.000 --> 00:00:02.000\nOne.\n\nNOTE Confidence: 0.5\n\n"
        f"{identifier}8\n00:00:03.000 --> 00:00:04.000\nTwo.\n"
    )
    read_back = parse_transcript(text.encode())

    assert (read_back.format, read_back.language) == (TranscriptFormat.TEAMS, "en-us")
    assert [segment.confidence for segment in read_back.segments] == [0.91, 0.5]


# SRT


def test_srt_with_points_spaces_positions_and_short_fractions() -> None:
    text = "1\r\n0:00:01,5-->00:00:02.000  X1:1 X2:2\r\n{\\an8}<i>Open</i> <font color='#fff'>it</font>\r\nnow\r\n\r\n"

    assert read(text) == [(1500, 2000, None, "Open it now")]
    assert parse_transcript(text.encode()).format is TranscriptFormat.SRT


def test_srt_without_counters_keeps_numbers_that_are_said() -> None:
    text = f"{SPAN}\nIt was in\n1984\n\n00:00:03,000 --> 00:00:04,000\n42\n"

    assert texts(text) == ["It was in 1984", "42"]


def test_srt_with_counters_loses_them_and_keeps_empty_lines_apart() -> None:
    text = (
        f"1\n\n{SPAN}\none\n\nmore of it\n2\n00:00:03,000 --> 00:00:04,000\n7\n\n3\n\n00:00:05,000 --> 00:00:06,000\n"
    )

    assert texts(text) == ["one more of it", "7"]


def test_srt_with_lines_that_look_like_the_format() -> None:
    assert texts(f"1\n{SPAN}\n10\n12:30:45\n{'1' * 5000}\n") == [f"10 12:30:45 {'1' * 5000}"]


@pytest.mark.parametrize(
    ("line", "speaker", "said"),
    [
        ("JOHN: Yes.", "JOHN", "Yes."),
        (">> MARY: Yes.", "MARY", "Yes."),
        ("DR. VAN DYKE: Yes.", "DR. VAN DYKE", "Yes."),
        (">> Yes.", None, "Yes."),
        ("[Music]", None, "[Music]"),
        ("[Applause] Thank you.", None, "[Applause] Thank you."),
        ("Warning: hot.", None, "Warning: hot."),
        ("Once: said.", None, "Once: said."),
        ("http://example.org is it", None, "http://example.org is it"),
    ],
)
def test_speakers_of_subtitles(line: str, speaker: str | None, said: str) -> None:
    cues = [line, "Somebody says this.", "And that."]
    text = "\n".join(
        f"{n}\n{stamp(n * 1000, ',')} --> {stamp(n * 1000 + 9, ',')}\n{c}\n" for n, c in enumerate(cues, 1)
    )

    assert read(text)[0][2:] == (speaker, said)


def test_names_in_brackets_that_come_again_are_speakers() -> None:
    cues = ["[Anna] Hello.", "[Ben Ali]: Hi.", "[Music]", "[Anna] Bye.", "[Ben Ali] Bye."]
    text = "\n".join(
        f"{n}\n{stamp(n * 1000, ',')} --> {stamp(n * 1000 + 9, ',')}\n{c}\n" for n, c in enumerate(cues, 1)
    )

    assert speakers(text) == ["Anna", "Ben Ali", None, "Anna", "Ben Ali"]


@pytest.mark.parametrize("text", ["[Music]", "(applause)", "♪ la la ♪", "[Music] (laughs)", "[BLANK_AUDIO]."])
def test_what_is_heard_and_not_said_is_kept_and_known(text: str) -> None:
    (segment,) = parse_transcript(f"WEBVTT\n\n{SPAN}\n{text}\n".encode()).segments

    assert (segment.text, segment.spoken) == (text, False)
    assert Segment(0, 0, 1, f"{text} Now click.").spoken


# Phrases


def phrases(*given_phrases: dict[str, Any], **members: Any) -> dict[str, Any]:
    filled = [{"offset_milliseconds": 0, "duration_in_ticks": 10_000_000, "display": "Hi.", **p} for p in given_phrases]
    return {"phrases": filled, **members}


def test_phrases_have_ticks_speakers_and_the_language_of_most() -> None:
    document = phrases(
        {"offset_milliseconds": 1500, "speaker": 2, "locale": "de-DE", "confidence": 0.5},
        {"offset_milliseconds": 500.0, "speaker": " Ana  B ", "locale": "en-US"},
        {"offset_milliseconds": 3000, "display": "  ", "locale": "fr-FR"},
        {"offset_milliseconds": 4000, "locale": "de-DE"},
        timestamp="2026-11-30T12:00:00Z",
        duration_in_ticks=600_000_000,
    )
    read_back = parse_phrases(document)

    assert [(s.start_ms, s.end_ms, s.speaker, s.confidence) for s in read_back.segments] == [
        (500, 1500, "Ana B", None),
        (1500, 2500, "Speaker 2", 0.5),
        (4000, 5000, None, None),
    ]
    assert (read_back.language, read_back.duration_ms, read_back.format) == ("de-DE", 60_000, TranscriptFormat.PHRASES)
    assert str(read_back.recorded_at) == "2026-11-30 12:00:00+00:00"


def test_the_same_phrases_are_the_same_however_they_are_written() -> None:
    phrase = '{"display":"Hi","offset_milliseconds":1,"duration_in_ticks":2}'
    one = f'{{"timestamp":"2026-11-30T12:00:00Z","phrases":[{phrase}]}}'
    other = """
    {"phrases": [{"duration_in_ticks": 2.0, "offset_milliseconds": 1, "display": "Hi", "speaker": null}],
     "timestamp": "2026-11-30T13:00:00+01:00", "vendor": "x"}"""

    assert parse_transcript(one.encode()).digest == parse_transcript(other.encode("utf-8-sig")).digest
    assert parse_phrases(json.loads(one)).digest == parse_transcript(one.encode()).digest
    assert parse_transcript(one.replace("Hi", "Ho").encode()).digest != parse_transcript(one.encode()).digest


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, "/phrases"),
        ({"phrases": []}, "/phrases"),
        ({"phrases": ["x"]}, "/phrases/0"),
        (phrases({"offset_milliseconds": None}), "/phrases/0/offset_milliseconds"),
        (phrases({}, {"offset_milliseconds": -1}), "/phrases/1/offset_milliseconds"),
        (phrases({"duration_in_ticks": True}), "/phrases/0/duration_in_ticks"),
        (phrases({"display": 5}), "/phrases/0/display"),
        (phrases({"speaker": ["x"]}), "/phrases/0/speaker"),
        (phrases({"confidence": 2}), "/phrases/0/confidence"),
        (phrases({"locale": "x" * 40}), "/phrases/0/locale"),
        (phrases({"locale": "e\0n"}), "/phrases/0/locale"),
        (phrases({"display": "a\0b"}), "/phrases/0/display"),
        (phrases({"display": "a\ud83d"}), "/phrases/0/display"),
        (phrases({"display": "x" * (MAX_SEGMENT_CHARACTERS + 1)}), "/phrases/0/display"),
        (phrases({"speaker": "\udc00"}), "/phrases/0/speaker"),
        (phrases({"speaker": 10**300}), "/phrases/0/speaker"),
        (phrases({}, timestamp="0001-01-01T00:00:00+14:00"), "/timestamp"),
        (phrases({}, timestamp="9999-12-31T23:59:59-14:00"), "/timestamp"),
        (phrases({}, timestamp="yesterday"), "/timestamp"),
        (phrases({}, duration_in_ticks="long"), "/duration_in_ticks"),
    ],
)
def test_mistakes_in_phrases_are_named_by_their_place(document: dict[str, Any], pointer: str) -> None:
    with pytest.raises(TranscriptUnreadable) as caught:
        parse_phrases(document)

    assert [violation.pointer for violation in caught.value.violations] == [pointer]


def test_only_the_first_of_many_mistakes_are_named() -> None:
    with pytest.raises(TranscriptUnreadable) as caught:
        parse_phrases(phrases(*({"display": 1} for _ in range(1000))))

    assert [violation.pointer for violation in caught.value.violations][-1] == "/phrases/19/display"
    assert "more than 20 places" in caught.value.detail


def test_a_locale_that_is_no_language_tag_says_nothing_of_the_language() -> None:
    document = phrases({"locale": '"><b>'}, {"locale": '"><b>'}, {"locale": "de_CH"})

    assert parse_phrases(document).language == "de-CH"


@pytest.mark.parametrize("point", [".", ","])
def test_an_arrow_in_what_is_said_is_text(point: str) -> None:
    head = "WEBVTT\n\nNOTE a --> b\n\n" if point == "." else ""
    text = head + f"1\n{stamp(1000, point)} --> {stamp(2000, point)}\nOpen Settings --> Network,\nthen --> OK\n\n"
    text += f"2\n{stamp(2000, point)} --> {stamp(3000, point)}\nDone\n"

    assert texts(text) == ["Open Settings --> Network, then --> OK", "Done"]


# What is refused


@pytest.mark.parametrize(
    ("data", "words", "line"),
    [
        (b"", "empty", None),
        (b" \r\n\n ", "empty", None),
        (b"%PDF-1.7 \xe2\xe3", "a PDF", 1),
        (b"PK\x03\x04...", "Office document", 1),
        (b"\x00\x00\x00\x20ftypisom....", "video", 1),
        (b"RIFF....WAVE", "sound", 1),
        (b"one\ntwo\x01", "no text file", 2),
        (b"<!DOCTYPE html><p>x", "HTML", 1),
        (b'<?xml version="1.0"?><tt>', "XML", 1),
        (b"one\n\x81\x8d", "encoding", 2),
        (b"just a letter\n", "no times", 1),
        (b"WEBVTT\n", "no captions", None),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n \n", "None of the captions", None),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nx\n\n00:61.000 --> 00:62.000\ny\n", "gives no times", 6),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\na\n\n1:2 --> b\n", "gives no times", 6),
        (b"a --> b\n", "no times", 1),
        (b"1\n00:00:01,000 --> 00:00:02,000\nx\n\n2\n00:00:03,000 -> 00:00:04,000 -->\ny\n", "gives no times", 6),
        (b"Title\n\n1\n00:00:01,000 --> 00:00:02,000\nx\n", "before the first times", 1),
        (b'{"phrases": [\n{]}', "no JSON", 2),
        (b'{"phrases": [{"display": "x", "offset_milliseconds": NaN}]}', "not supported", 1),
        (b'{"a":' * 100_000, "not supported", 1),
        (b'{"phrases": [{"display": " ", "offset_milliseconds": 1, "duration_in_ticks": 1}]}', "None of the", None),
    ],
)
def test_what_is_no_transcript_is_refused_with_reason_and_line(data: bytes, words: str, line: int | None) -> None:
    error = refusal(data)

    assert words in error.detail
    assert error.facts.get("line") == line


def test_a_caption_of_any_length_is_refused_in_its_line() -> None:
    assert refusal(f"WEBVTT\n\n{SPAN}\nx\n\n{SPAN}\n{'x' * (MAX_SEGMENT_CHARACTERS + 1)}\n").facts == {"line": 6}


@pytest.mark.parametrize(
    "text",
    [
        "WEBVTT\n\n" + "x" * MAX_FILE_BYTES,
        "WEBVTT\n\n" + f"{SPAN}\nx\n\n" * 20_001,
        "WEBVTT\n\n" + f"{SPAN}\n" * 80_001,
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nx\n\n24:00:00.001 --> 24:00:00.002\nx\n",
        json.dumps(phrases({}, duration_in_ticks=25 * 36_000_000_000)),
        json.dumps({"phrases": [0] * 80_001}),
        f"WEBVTT\n\n{SPAN}\n" + "a\n\n" * 400_000,
    ],
)
def test_what_is_too_large_is_refused(text: str) -> None:
    with pytest.raises(TranscriptTooLarge):
        parse_transcript(text.encode())


# Properties

# Without what means something to a format: markup, arrows, entities, names before a colon.
SAID = st.lists(
    st.text(
        st.characters(exclude_categories=["C", "Z", "M"], exclude_characters="<>&-:：{}[]()"),
        min_size=1,
        max_size=8,
    ),
    min_size=1,
    max_size=12,
)
CUES = st.lists(st.tuples(st.integers(0, 80_000_000), st.integers(0, 20_000), SAID), min_size=1, max_size=30)


def words_of(cues: list[tuple[int, int, list[str]]]) -> Counter[str]:
    from dataforge.kernel.text import composed

    return Counter(composed(word) for _, _, words in cues for word in words)


def check(text: str, cues: list[tuple[int, int, list[str]]]) -> None:
    segments = parse_transcript(text.encode()).segments

    assert Counter(word for segment in segments for word in segment.text.split()) == words_of(cues)
    assert [segment.index for segment in segments] == list(range(len(cues)))
    assert [segment.start_ms for segment in segments] == sorted(start for start, _, _ in cues)
    for segment in segments:
        assert segment.start_ms <= segment.end_ms
        assert segment.text == re.sub(r"\s+", " ", segment.text.strip())


@given(CUES)
def test_no_word_of_webvtt_is_lost(cues: list[tuple[int, int, list[str]]]) -> None:
    blocks = (f"id {n}\n{stamp(s)} --> {stamp(s + d)}\n{' '.join(w)}\n" for n, (s, d, w) in enumerate(cues))

    check("WEBVTT\n\n" + "\n".join(blocks), cues)


@given(CUES)
def test_no_word_of_srt_is_lost(cues: list[tuple[int, int, list[str]]]) -> None:
    blocks = (f"{n}\n{stamp(s, ',')} --> {stamp(s + d, ',')}\n{' '.join(w)}\n" for n, (s, d, w) in enumerate(cues, 1))

    check("\n".join(blocks), cues)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for beginning in (b"", b"WEBVTT\n\n", b"1\n00:00:01,000 --> 00:00:02,000\n", b"{"):
        try:
            parse_transcript(beginning + data)
        except (TranscriptUnreadable, TranscriptTooLarge):
            continue


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("support_vpn.json", TranscriptFormat.PHRASES, 143),
        ("training_backup.vtt", TranscriptFormat.TEAMS, 222),
        ("support_kasse.vtt", TranscriptFormat.ZOOM, 157),
        ("vorlesung_tabellen.srt", TranscriptFormat.SRT, 199),
    ],
)
def test_the_labelled_transcripts_are_read_cue_by_cue(name: str, kind: TranscriptFormat, count: int) -> None:
    read_back = parse_transcript((FIXTURES / name).read_bytes())

    assert (read_back.format, len(read_back.segments)) == (kind, count)
