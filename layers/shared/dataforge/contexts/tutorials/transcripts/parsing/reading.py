"""A file, or phrases that were sent as they are, to a transcript."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from dataforge.contexts.tutorials.transcripts.domain import (
    MAX_FILE_BYTES,
    MAX_LENGTH,
    MAX_SEGMENT_CHARACTERS,
    MAX_SEGMENTS,
    ParsedTranscript,
    Segment,
    TranscriptFormat,
    TranscriptTooLarge,
    unreadable,
)
from dataforge.contexts.tutorials.transcripts.parsing import srt_files, webvtt_files
from dataforge.contexts.tutorials.transcripts.parsing.cues import Cue, Utterance, shown_lines, voices
from dataforge.contexts.tutorials.transcripts.parsing.decoding import EXPECTED, decode
from dataforge.contexts.tutorials.transcripts.parsing.phrases import known_members, read_phrases
from dataforge.contexts.tutorials.transcripts.parsing.rolling import unroll
from dataforge.contexts.tutorials.transcripts.parsing.speakers import (
    names_before,
    speaker_name,
    split_speakers,
    two_speak,
)
from dataforge.kernel.canonical import content_hash
from dataforge.kernel.texts import Text

# Captions that roll are shown twice for each line, and some are empty.
_MOST_CUES = 4 * MAX_SEGMENTS
_MOST_LINES = 8 * _MOST_CUES
_MOST_MS = MAX_LENGTH.total_seconds() * 1000
# `0f3a…-…/12-0`, or the bare GUID of earlier exports.
_TEAMS_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?:[/-]\d+(?:-\d+)?)?", re.IGNORECASE)
_TEAMS_NOTE = re.compile(r"\s*(?:confidence|recognizability|duration)\s*:", re.IGNORECASE)
_CONFIDENCE = re.compile(r"\s*confidence\s*:\s*([01](?:\.\d+)?)\s*", re.IGNORECASE)
# An arrow in what is said, "Settings --> Network": whatever is meant as times has digits around a colon. The mark in
# the hidden one is unseen and goes with all that are.
_ARROW_OF_TEXT = re.compile(r"^(?!.*\d *: *\d).*-->.*$", re.MULTILINE)
_HIDDEN_ARROW = "--\u2060>"
_COUNTER = re.compile(r"\s*\d+\s*")
# `12 "Jane Doe" (2283823616)`, as Webex names who speaks.
_WEBEX_ID = re.compile(r'\s*\d+\s+"([^"]+)"\s+\(\d+\)\s*')


def parse_transcript(data: bytes) -> ParsedTranscript:
    """What is in a file of WebVTT, SRT or phrases; raises TranscriptUnreadable or TranscriptTooLarge.

    The digest of captions is over their text, whatever its encoding and the ends of its lines.
    """
    if len(data) > MAX_FILE_BYTES:
        message = Text(
            "A transcript may have {max_file_bytes:,} bytes; this one has {count:,}.",
            max_file_bytes=MAX_FILE_BYTES,
            count=len(data),
        )
        raise TranscriptTooLarge(message)
    text = decode(data).strip("\n")
    begin = text.lstrip()
    if begin.startswith("{"):
        return parse_phrases(_document(text))
    if text.count("-->") > _MOST_CUES:
        message = Text(
            "A file may have {most_cues:,} captions; this one has {count:,}.",
            most_cues=_MOST_CUES,
            count=text.count("-->"),
        )
        raise TranscriptTooLarge(message)
    lines = text.count("\n") + 1
    if lines > _MOST_LINES:
        message = Text(
            "A file of captions may have {most_lines:,} lines; this one has {lines:,}.",
            most_lines=_MOST_LINES,
            lines=lines,
        )
        raise TranscriptTooLarge(message)
    digest = hashlib.sha256(text.encode()).hexdigest()
    text = _ARROW_OF_TEXT.sub(lambda line: line[0].replace("-->", _HIDDEN_ARROW), text)
    begin = text.lstrip()
    if begin.startswith("WEBVTT"):
        skipped = text[: len(text) - len(begin)].count("\n")
        return _of_captions(*webvtt_files.read_webvtt(begin, first_line=skipped + 1), digest, webvtt=True)
    first = next(((number, line) for number, line in enumerate(text.split("\n"), 1) if "-->" in line), None)
    if first is None:
        raise unreadable(Text("There are no times of captions in the file. {expected}", expected=EXPECTED), 1)
    if webvtt_files.TIME_SPAN.match(first[1]) and srt_files.TIME_SPAN.match(first[1]) is None:
        # WebVTT whose first line was lost; only there hours may be left out.
        return _of_captions(*webvtt_files.read_webvtt(f"WEBVTT\n\n{text}", first_line=-1), digest, webvtt=True)
    return _of_captions(srt_files.read_srt(text), None, digest, webvtt=False)


def parse_phrases(document: Mapping[str, Any]) -> ParsedTranscript:
    """What is in the JSON of phrases; the digest is over what it says, whatever the order of its members.

    Raises as `parse_transcript`.
    """
    utterances, language, recorded_at, length = read_phrases(document)
    if not utterances:
        raise unreadable(Text("None of the phrases has a text."))
    digest = content_hash(known_members(document))
    kind = TranscriptFormat.PHRASES
    return _transcript(kind, utterances, digest, language, recorded_at=recorded_at, length=length)


def _document(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise unreadable(Text("This is no JSON: {msg}.", msg=error.msg), error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise unreadable(Text("This JSON is not supported. {expected}", expected=EXPECTED), 1) from error
    if not isinstance(document, dict):
        raise unreadable(Text("The JSON of phrases is an object. {expected}", expected=EXPECTED), 1)
    return document


def _no_number(name: str) -> float:
    message = Text("{name} is not a number", name=name)
    raise ValueError(message)


def _of_captions(cues: Sequence[Cue], language: str | None, digest: str, *, webvtt: bool) -> ParsedTranscript:
    if not cues:
        raise unreadable(Text("The file has no captions."))
    for cue in cues:
        if sum(map(len, cue.lines)) > MAX_SEGMENT_CHARACTERS:
            raise unreadable(
                Text(
                    "The text of a caption may have {max_segment_characters:,} characters.",
                    max_segment_characters=MAX_SEGMENT_CHARACTERS,
                ),
                cue.line,
            )
    utterances = [utterance for cue in unroll(cues) for utterance in _utterances(cue)]
    if not utterances:
        raise unreadable(Text("None of the captions has a text."))
    kind = _kind_of(cues, utterances) if webvtt else TranscriptFormat.SRT
    unvoiced = [index for index, utterance in enumerate(utterances) if utterance.speaker is None]
    texts = [utterances[index].text for index in unvoiced]
    split = split_speakers(texts, prefixed=kind is not TranscriptFormat.VTT)
    for index, (speaker, rest) in zip(unvoiced, split, strict=True):
        spoken = utterances[index]
        utterances[index] = Utterance(spoken.start_ms, spoken.end_ms, rest, speaker, spoken.confidence)
    return _transcript(kind, utterances, digest, language)


def _utterances(cue: Cue) -> Iterator[Utterance]:
    """What each voice of the cue says, all in the time of the cue; two who are named line by line are two voices."""
    known_voice = _WEBEX_ID.fullmatch(cue.identifier or "")
    lines = [cue.lines]
    if len(cue.lines) > 1 and not any("<v" in line for line in cue.lines):
        shown = shown_lines(cue)
        if two_speak([text for _, text in shown]):
            lines = [(line,) for line, _ in shown]
    confidence = next((match[1] for note in cue.notes if (match := _CONFIDENCE.fullmatch(note))), None)
    for voice, text in (spoken for part in lines for spoken in voices(part)):
        if text:
            known = None if confidence is None else min(float(confidence), 1.0)
            speaker = speaker_name(voice or (known_voice and known_voice[1]))
            yield Utterance(cue.start_ms, cue.end_ms, text, speaker, known)


def _kind_of(cues: Sequence[Cue], utterances: Sequence[Utterance]) -> TranscriptFormat:
    """Whose captions they are, by what Teams and Zoom write and others do not."""
    if any(_TEAMS_ID.fullmatch((cue.identifier or "").strip()) for cue in cues):
        return TranscriptFormat.TEAMS
    if any(_TEAMS_NOTE.match(note) for cue in cues for note in cue.notes):
        return TranscriptFormat.TEAMS
    voiced = all(utterance.speaker is not None for utterance in utterances)
    if (
        voiced
        and all(cue.identifier is None for cue in cues)
        and all("</v>" in line for cue in cues for line in cue.lines[-1:])
    ):
        return TranscriptFormat.TEAMS
    counted = all(_COUNTER.fullmatch(cue.identifier or "") for cue in cues)
    if counted and names_before([utterance.text for utterance in utterances]) * 2 >= len(utterances):
        return TranscriptFormat.ZOOM
    return TranscriptFormat.VTT


def _transcript(
    kind: TranscriptFormat,
    utterances: Sequence[Utterance],
    digest: str,
    language: str | None,
    *,
    recorded_at: datetime | None = None,
    length: int = 0,
) -> ParsedTranscript:
    """Numbered segments in the order in which they begin; a caption that ends before it begins lasts no time."""
    if len(utterances) > MAX_SEGMENTS:
        message = Text(
            "A transcript may have {max_segments:,} segments; this one has {count:,}.",
            max_segments=MAX_SEGMENTS,
            count=len(utterances),
        )
        raise TranscriptTooLarge(message, facts={"limit_segments": MAX_SEGMENTS, "segments": len(utterances)})
    ordered = sorted(utterances, key=lambda utterance: utterance.start_ms)
    segments = tuple(
        Segment(index, item.start_ms, max(item.start_ms, item.end_ms), item.text, item.speaker, item.confidence)
        for index, item in enumerate(ordered)
    )
    lasted = max(segment.end_ms for segment in segments) - segments[0].start_ms
    if max(lasted, length) > _MOST_MS:
        hours = max(lasted, length) / 3_600_000
        message = Text(
            "A transcript may last {max_length:.0f} hours; this one lasts {hours:,.1f}.",
            max_length=MAX_LENGTH.total_seconds() / 3600,
            hours=hours,
        )
        raise TranscriptTooLarge(message)
    return ParsedTranscript(kind, segments, digest, length or lasted, language, recorded_at)
