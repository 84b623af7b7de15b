"""What datasets hold about people: who has done what. Their rows are the organisation's data."""

from typing import Any

from dataforge.platform.personal_data import Holding, NotCovered, PersonalData

_BY = "Who did it stays, with the id of an account that tells nothing any more."


def _made(table: str, column: str, exported: str = "") -> Holding:
    return Holding(table=table, refers=column, whose=f"{column} = :user_id", exported=exported, kept=_BY, stable=False)


def personal_data() -> PersonalData[Any]:
    """Grants to the person go; commits and reviews name an account that tells nothing any more."""
    return PersonalData(
        holdings=(
            Holding(
                table="datasets.dataset_permissions",
                refers="subject_id",
                whose="subject_kind = 'user' AND subject_id = :user_id",
                exported="dataset_id, level, granted_at",
                deleted=True,
            ),
            Holding(
                table="datasets.dataset_permissions",
                name="granted_permissions",
                refers="granted_by",
                whose="granted_by = :user_id",
                kept=_BY,
                stable=False,
            ),
            Holding(
                table="datasets.commits",
                # `author` is the account's id as text, and part of what the commit's id is made of.
                refers="author_id author",
                whose="author_id = :user_id",
                exported="authored_at, dataset_id, commit_id, message",
                kept=_BY,
                stable=False,
            ),
            _made("datasets.datasets", "created_by", "created_at, id, name"),
            _made("datasets.expectations", "created_by"),
            _made("datasets.publications", "created_by"),
            _made("datasets.refs", "created_by"),
            _made("datasets.uploads", "created_by", "created_at, dataset_id, file_name, size_bytes"),
            _made("datasets.jobs", "user_id", "created_at, id, dataset_id, run_type, status"),
            _made("datasets.review_comments", "author_id", "created_at, review_id, body"),
            _made("datasets.review_opinions", "user_id", "created_at, review_id, verdict"),
            Holding(
                table="datasets.review_requests",
                refers="author_id ended_by",
                whose="author_id = :user_id OR ended_by = :user_id",
                exported="created_at, dataset_id, number, title, state",
                kept=_BY,
                stable=False,
            ),
        ),
        not_covered=(
            NotCovered(
                "Rows of datasets, in every version, and files they were imported from: the organisation's data",
                "Ask each table for the person, for example POST /api/datasets/{dataset_id}/refs/{version}/sql "
                "with SELECT … WHERE email = '…'; then commit the rows without them.",
            ),
            NotCovered(
                "Rows of published tables and of their snapshots, which engines read without us",
                "GET /api/datasets/{dataset_id}/publications lists them; a commit without the person's rows is "
                "published after it, and DELETE drops a table with all of its snapshots.",
            ),
            NotCovered(
                "Texts of commits, reviews and their comments, which people write freely",
                "GET /api/datasets/{dataset_id}/refs/{version}/history and …/reviews list them.",
            ),
        ),
    )
