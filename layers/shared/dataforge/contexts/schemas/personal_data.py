"""What schemas hold about people: who planned, deployed and applied."""

from typing import Any

from dataforge.platform.personal_data import Holding, NotCovered, PersonalData

_BY = "Who did it stays, with the id of an account that tells nothing any more."


def personal_data() -> PersonalData[Any]:
    """Nothing goes: the rows name an account that tells nothing any more."""
    made = (
        ("schemas.plans", "created_by", "created_at, id, namespace"),
        ("schemas.deployments", "created_by", "created_at, id, status"),
        ("schemas.revisions", "applied_by", "applied_at, number, revision"),
    )
    return PersonalData(
        holdings=[
            Holding(table=table, refers=column, whose=f"{column} = :user_id", exported=shown, kept=_BY, stable=False)
            for table, column, shown in made
        ],
        not_covered=(
            NotCovered(
                "Tables that workspaces have deployed, whose rows are the organisation's",
                "Ask each table of the workspace's schema with the workspace's own login.",
            ),
        ),
    )
