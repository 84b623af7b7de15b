"""Statements over tables of the Glue catalog, run by Amazon Athena with the rights to one database only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from dataforge.kernel.errors import BadRequest, Unavailable
from dataforge.kernel.texts import Text
from dataforge.platform.aws.clients import client

MOST_ROWS = 999
"""Rows of a result that are read; Athena gives a thousand at a time, the first of which are names."""
_PASSING = frozenset({"TooManyRequestsException", "InternalServerException", "ThrottlingException"})
_MOST_REASON = 1_000
_SESSION_SECONDS = 3_600
_Answer = TypeVar("_Answer")


class EngineRefused(BadRequest):
    """The engine does not take the statement."""

    code = "query_refused"
    status = 422
    title = "The query was refused"


@dataclass(frozen=True, slots=True)
class Execution:
    """A statement at the engine: `state` is queued, running, succeeded, failed or cancelled."""

    id: str
    state: str
    statement: str
    database: str
    output: str
    reason: str | None
    scanned_bytes: int
    elapsed_ms: int


@dataclass(frozen=True, slots=True)
class EngineRows:
    """The first rows of a result, each value a text as Athena writes it; `truncated` when there are more."""

    columns: list[tuple[str, str]]
    rows: list[list[str | None]]
    truncated: bool


class Athena:
    """Runs statements in one workgroup.

    Each is started by a session of `role_arn` that is narrowed to one database of the catalog, the files of its tables
    and one place for results: whatever a statement names besides, Athena cannot read.
    """

    def __init__(self, workgroup: str, role_arn: str, bucket: str) -> None:
        self._workgroup = workgroup
        self._role_arn = role_arn
        self._bucket = bucket

    async def start(self, statement: str, database: str, *, files: str, output: str) -> str:
        """Start a statement; its id. `files` and `output` are prefixes of the bucket.

        Raises EngineRefused with Athena's own sentence, Unavailable.
        """

        def begin() -> str:
            answer = self._narrowed(database, files, output).start_query_execution(
                QueryString=statement,
                QueryExecutionContext={"Catalog": "AwsDataCatalog", "Database": database},
                ResultConfiguration={"OutputLocation": f"s3://{self._bucket}/{output}"},
                WorkGroup=self._workgroup,
            )
            return str(answer["QueryExecutionId"])

        return await _asked(begin)

    async def execution(self, query_id: str) -> Execution | None:
        """How far a statement is; None when this workgroup has no such one."""

        def look() -> Execution | None:
            found = client("athena").get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            if found.get("WorkGroup") != self._workgroup:
                return None
            status, statistics = found["Status"], found.get("Statistics", {})
            reason = status.get("StateChangeReason") or None
            return Execution(
                query_id,
                str(status["State"]).lower(),
                found["Query"],
                found.get("QueryExecutionContext", {}).get("Database", ""),
                str(found.get("ResultConfiguration", {}).get("OutputLocation", "")).partition(f"{self._bucket}/")[2],
                None if reason is None else str(reason)[:_MOST_REASON],
                int(statistics.get("DataScannedInBytes", 0)),
                int(statistics.get("TotalExecutionTimeInMillis", 0)),
            )

        try:
            return await _asked(look)
        except EngineRefused:  # what Athena says of an id that it does not know
            return None

    async def rows(self, query_id: str) -> EngineRows:
        """The first rows of a statement that has succeeded."""

        def read() -> EngineRows:
            answer = client("athena").get_query_results(QueryExecutionId=query_id, MaxResults=MOST_ROWS + 1)
            described = answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
            columns = [(str(column["Name"]), str(column["Type"])) for column in described]
            rows = [[cell.get("VarCharValue") for cell in row.get("Data", [])] for row in answer["ResultSet"]["Rows"]]
            return EngineRows(columns, rows[1:], "NextToken" in answer)

        return await _asked(read)

    def _narrowed(self, database: str, files: str, output: str) -> Any:  # noqa: ANN401 - a client that has no types here
        import boto3

        _, partition, _, _, account, _ = self._role_arn.split(":", 5)
        policy = session_policy(partition, account, self._bucket, database, files, output)
        session = client("sts").assume_role(
            RoleArn=self._role_arn,
            RoleSessionName=database[-64:],
            DurationSeconds=_SESSION_SECONDS,
            Policy=json.dumps(policy, separators=(",", ":")),
        )["Credentials"]
        return boto3.client(
            "athena",
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
            config=client("athena").meta.config,
        )


def session_policy(partition: str, account: str, bucket: str, database: str, files: str, output: str) -> dict[str, Any]:
    """What a session may do of what its role may: both have to allow it."""
    glue, objects = f"arn:{partition}:glue:*:{account}", f"arn:{partition}:s3:::{bucket}"
    catalog = [f"{glue}:catalog", f"{glue}:database/{database}", f"{glue}:table/{database}/*"]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["athena:StartQueryExecution"],
                "Resource": f"arn:{partition}:athena:*:{account}:workgroup/*",
            },
            {"Effect": "Allow", "Action": ["glue:GetDatabase", "glue:GetTable", "glue:GetTables"], "Resource": catalog},
            {"Effect": "Allow", "Action": ["s3:GetBucketLocation"], "Resource": objects},
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": f"{objects}/{files}*"},
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
                "Resource": f"{objects}/{output}*",
            },
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": objects,
                "Condition": {"StringLike": {"s3:prefix": [f"{files}*", f"{output}*"]}},
            },
        ],
    }


async def _asked(question: Callable[[], _Answer]) -> _Answer:
    """Ask in a thread, because boto3 blocks, and tell refusals from what may pass."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return await asyncio.to_thread(question)
    except ClientError as error:
        problem = error.response.get("Error", {})
        code, status = problem.get("Code", ""), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code == "InvalidRequestException":
            raise EngineRefused(str(problem.get("Message", code))[:_MOST_REASON]) from error
        if code in _PASSING or status >= 500:
            raise Unavailable(Text("The query engine did not answer ({value}).", value=code or status)) from error
        raise
    except BotoCoreError as error:
        name = type(error).__name__
        raise Unavailable(Text("The query engine did not answer ({value}).", value=name)) from error
