"""Which engine the settings name, and that none is without masking."""

import pytest
from pydantic import ValidationError

from dataforge.contexts.tutorials.drafts.engines import engine_of
from dataforge.contexts.tutorials.drafts.extraction.engine import ExtractiveEngine
from dataforge.settings import DraftSettings, JobSettings
from infra.bench.tutorial_quality import open_ones
from tests.builders.talks import a_talk


def test_nothing_leaves_unless_the_settings_say_so() -> None:
    engine = engine_of(DraftSettings())

    assert engine.name == "extractive"
    assert engine.version == f"{ExtractiveEngine().version} masking 2"


def test_a_model_is_asked_where_it_is_named() -> None:
    engine = engine_of(DraftSettings(draft_engine="bedrock", bedrock_model_id="example.model-v1:0"))

    assert engine.name == "bedrock"
    assert engine.version == "example.model-v1:0 prompt 1 masking 2"


def test_the_version_names_a_profile_without_its_account_and_fits_into_its_column() -> None:
    profile = f"arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.{'long-' * 20}v1:0"

    version = engine_of(DraftSettings(draft_engine="bedrock", bedrock_model_id=profile)).version

    assert version.startswith("eu.long-")
    assert len(version) <= 80


def test_a_function_that_shall_ask_a_model_and_knows_none_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAFT_ENGINE", "bedrock")

    with pytest.raises(ValidationError, match="BEDROCK_MODEL_ID names no model"):
        JobSettings.from_environment()


async def test_a_draft_by_rules_is_masked_and_names_the_masking() -> None:
    talk = a_talk(
        "Ann: Hello, what can I do for you?",
        "Ben: I cannot log in any more.",
        "Ann: First you open the settings and write a mail to ada@example.org from there.",
        "Ann: Then call the gateway's owner back on 0431 123456, please.",
    )

    draft = await engine_of(DraftSettings()).draft(talk, "en")

    assert draft.engine_version.endswith(" masking 2")
    assert "ada@" not in repr(draft)
    assert "123456" not in repr(draft)


async def test_masking_changes_no_draft_of_conversations_without_such_data() -> None:
    labelled = open_ones()[0]

    plain = await ExtractiveEngine().draft(labelled.segments, labelled.language)
    masked = await engine_of(DraftSettings()).draft(labelled.segments, labelled.language)

    assert masked.steps == plain.steps
    assert masked.glossary == plain.glossary
