"""What a session of Athena may do: one database, its files, its results."""

import json
from fnmatch import fnmatchcase

from dataforge.platform.aws.athena import session_policy

POLICY = session_policy("aws", "123456789012", "bucket", "dataforge_0192", "lake/0192/", "exports/queries/0192/")


def allowed(action: str, resource: str) -> bool:
    """Whether the policy lets a request pass that has no conditions to meet."""
    for statement in POLICY["Statement"]:
        resources = statement["Resource"]
        given = [resources] if isinstance(resources, str) else resources
        if action in statement["Action"] and any(fnmatchcase(resource, pattern) for pattern in given):
            return True
    return False


def test_the_tables_of_the_dataset_can_be_read_and_those_of_others_cannot() -> None:
    glue = "arn:aws:glue:eu-central-1:123456789012"

    assert allowed("glue:GetTable", f"{glue}:table/dataforge_0192/main_data")
    assert allowed("s3:GetObject", "arn:aws:s3:::bucket/lake/0192/main_data/data/a.parquet")
    assert allowed("s3:PutObject", "arn:aws:s3:::bucket/exports/queries/0192/a.csv")
    assert not allowed("glue:GetTable", f"{glue}:table/dataforge_0193/main_data")
    assert not allowed("glue:GetDatabase", f"{glue}:database/dataforge_01920")
    assert not allowed("s3:GetObject", "arn:aws:s3:::bucket/lake/0193/main_data/data/a.parquet")
    assert not allowed("s3:GetObject", "arn:aws:s3:::bucket/chunks/0192/a")
    assert not allowed("s3:GetObject", "arn:aws:s3:::bucket/exports/queries/0193/a.csv")


def test_nothing_can_be_changed_but_results() -> None:
    changing = {
        action
        for statement in POLICY["Statement"]
        for action in statement["Action"]
        if not action.split(":")[1].startswith(("Get", "List"))
    }

    assert changing == {"athena:StartQueryExecution", "s3:PutObject", "s3:AbortMultipartUpload"}


def test_it_fits_into_a_session() -> None:
    # AWS takes 2,048 characters.
    assert len(json.dumps(POLICY, separators=(",", ":"))) < 1_700
