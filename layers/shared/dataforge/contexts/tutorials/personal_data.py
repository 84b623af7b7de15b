"""What tutorials hold about people: who brought a transcript, who wrote a tutorial, who shared it."""

from typing import Any

from dataforge.platform.personal_data import Holding, NotCovered, PersonalData

_BY = "It is the workspace's; who did it stays, with the id of an account that tells nothing any more."


def personal_data() -> PersonalData[Any]:
    """Nothing goes: the rows are a workspace's, and name an account that tells nothing any more."""
    return PersonalData(
        holdings=(
            Holding(
                table="tutorials.transcripts",
                refers="owner_id",
                whose="owner_id = :user_id",
                exported="created_at, id, workspace_id, title, format, recording_url, recorded_at, language",
                kept=_BY,
                stable=False,
            ),
            Holding(
                table="tutorials.tutorials",
                refers="user_id",
                exported="created_at, id, workspace_id, title, summary, content_md, state",
                kept=_BY,
                stable=False,
            ),
            Holding(
                table="tutorials.tutorial_links",
                refers="created_by",
                whose="created_by = :user_id",
                exported="created_at, id, tutorial_id, revoked_at",
                kept=_BY,
                stable=False,
            ),
        ),
        not_covered=(
            NotCovered(
                "Names of speakers and what they said in transcripts and tutorials, which no account is known for",
                "Search the transcripts and tutorials of each workspace for the person's name; rename the speaker or "
                "delete the transcript.",
            ),
        ),
    )
