"""Which engine drafts tutorials, and that no draft of any leaves it unmasked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dataforge.contexts.tutorials.drafts.domain import Draft, DraftEngine
from dataforge.contexts.tutorials.transcripts.domain import Segment

if TYPE_CHECKING:
    from dataforge.settings import DraftSettings


class MaskingEngine:
    """Another engine, whose drafts have mail addresses, telephone, card and account numbers masked."""

    def __init__(self, engine: DraftEngine) -> None:
        self._engine = engine

    @property
    def name(self) -> str:
        """The name of the engine that drafts."""
        return self._engine.name

    @property
    def version(self) -> str:
        """The version of the engine that drafts, and of the masking."""
        from dataforge.contexts.tutorials.drafts.masking import MASKING_VERSION

        return f"{self._engine.version} masking {MASKING_VERSION}"

    async def draft(self, segments: Sequence[Segment], language: str | None) -> Draft:
        """The engine's draft, masked; raises what the engine raises."""
        from dataclasses import replace

        from dataforge.contexts.tutorials.drafts.masking import mask_draft

        return replace(mask_draft(await self._engine.draft(segments, language)), engine_version=self.version)


def engine_of(settings: "DraftSettings") -> DraftEngine:
    """The engine that the settings name."""
    if settings.draft_engine == "bedrock":
        from dataforge.contexts.tutorials.drafts.bedrock import BedrockEngine
        from dataforge.platform.aws.bedrock import ConverseModel

        return MaskingEngine(BedrockEngine(ConverseModel(settings.bedrock_model_id, settings.bedrock_endpoint_url)))
    from dataforge.contexts.tutorials.drafts.extraction.engine import ExtractiveEngine

    return MaskingEngine(ExtractiveEngine())
