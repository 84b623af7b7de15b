"""The engine that needs no model: it extracts what was said and cites it."""

from collections.abc import Sequence

from dataforge.contexts.tutorials.drafts.domain import Draft
from dataforge.contexts.tutorials.drafts.extraction.explanations import (
    glossary_of,
    names_of,
    prerequisites_of,
    purpose_of,
    salient_words,
    sections_of,
    summary_of,
    title_of,
)
from dataforge.contexts.tutorials.drafts.extraction.languages import language_of
from dataforge.contexts.tutorials.drafts.extraction.sentences import capitalised, sentences_of
from dataforge.contexts.tutorials.drafts.extraction.speakers import expert_of, shows_alone
from dataforge.contexts.tutorials.drafts.extraction.steps import steps_of
from dataforge.contexts.tutorials.drafts.extraction.topics import boundaries_of
from dataforge.contexts.tutorials.drafts.extraction.vocabulary import vocabulary_of
from dataforge.contexts.tutorials.transcripts.domain import Segment

ENGINE = "extractive"
# Raise it with every change after which a transcript may give another draft.
ENGINE_VERSION = "3"


class ExtractiveEngine:
    """Finds the expert, the topics and the instructions of a transcript by rules."""

    name = ENGINE
    version = ENGINE_VERSION

    async def draft(self, segments: Sequence[Segment], language: str | None) -> Draft:
        """A draft whose steps cite the segments they were heard in.

        `language` is a code such as `de`; None lets the engine find out. In a language without rules the draft has
        sections and a title, and no steps.
        """
        return extract(segments, language)


def extract(segments: Sequence[Segment], code: str | None) -> Draft:
    """The draft of a transcript, in time that grows with its length."""
    language = language_of((segment.text for segment in segments), code)
    sentences = sentences_of(segments, language)
    vocabulary = vocabulary_of(segments, language)
    by_all = [language.instruction(sentence.text, False) for sentence in sentences]  # noqa: FBT003 - as Language asks
    expert = expert_of(segments, sentences, by_all, vocabulary)
    people = names_of({segment.speaker for segment in segments})
    boundaries = boundaries_of(segments, sentences, vocabulary, language)
    sections = sections_of(boundaries, vocabulary, language, people) if segments else ()
    needed = prerequisites_of(sentences, expert, language)
    shows = shows_alone(segments, expert)
    instructions = [
        None
        if at in needed or (expert is not None and sentence.speaker != expert)
        else (language.instruction(sentence.text, shows) if shows else instruction)
        for at, (sentence, instruction) in enumerate(zip(sentences, by_all, strict=True))
    ]
    purpose = purpose_of(sentences, language)
    salient = salient_words(vocabulary, language, people)
    return Draft(
        title=title_of(purpose[1] if purpose else "", salient, sentences[0].text[:80] if sentences else ""),
        summary=summary_of(purpose[0] if purpose else None, sections, language),
        prerequisites=tuple(dict.fromkeys(capitalised(sentences[at].text) for at in needed)),
        glossary=glossary_of(sentences, expert, vocabulary, language),
        sections=sections,
        steps=steps_of(segments, sentences, instructions, language),
        expert=expert,
        dropped=(),
        engine=ENGINE,
        engine_version=ENGINE_VERSION,
    )
