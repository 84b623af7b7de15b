"""The stack itself: what is deployed answers, and stays what it is over a stop and a start."""

import json

import httpx
import psycopg
import pytest

from dataforge.platform.db.migrations import head_revision
from infra.local.emulator import require_free
from infra.local.errors import LocalStackError
from infra.local.layout import TEST
from infra.local.stack import LocalStack, exclusive, start
from infra.local.summary import curl_lines

pytestmark = pytest.mark.build


@pytest.mark.parametrize("path", ["/api/health", "/api/health/xapi", "/api/health/datasets", "/api/health/sql"])
def test_each_http_function_is_healthy_and_sees_the_newest_migration(
    path: str, stack: LocalStack, admin: httpx.Client, http: httpx.Client
) -> None:
    answer = admin.get(path)

    assert http.get(stack.facts["api_url"] + path).status_code == 401
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "ok"
    assert head_revision() in answer.text


def test_everybody_may_know_that_the_api_is_up_and_nothing_more(stack: LocalStack, http: httpx.Client) -> None:
    answer = http.get(stack.facts["api_url"] + "/health")

    assert (answer.status_code, answer.content) == (200, b'{"status":"ok"}')


def test_the_stack_file_tells_scripts_where_everything_is(stack: LocalStack) -> None:
    facts = json.loads(TEST.stack_file.read_text())

    assert facts == stack.facts
    assert facts["xapi_url"].startswith(facts["api_url"])
    assert set(facts["credentials"]["admin"]) == {"username", "password"}
    assert set(facts["credentials"]["xapi"]) == {"key", "secret"}
    assert TEST.stack_file.stat().st_mode & 0o077 == 0


def test_the_printed_commands_name_the_deployed_addresses(stack: LocalStack) -> None:
    login, statement, report = curl_lines(stack).splitlines()

    assert stack.facts["api_url"] + "/api/auth/login" in login
    assert stack.facts["xapi_url"] + "/statements" in statement
    assert "/completions" in report


def test_the_first_administrator_can_sign_in(admin: httpx.Client) -> None:
    answer = admin.get("/api/users/me")

    assert answer.status_code == 200, answer.text
    assert answer.json()["username"] == "admin"


def test_the_maintenance_schedule_is_on(stack: LocalStack) -> None:
    schedule = stack.emulator.client("scheduler").get_schedule(Name=f"{TEST.stack_name}-maintenance")

    assert schedule["State"] == "ENABLED"
    assert schedule["ScheduleExpression"] == "rate(1 minute)"


def test_functions_keep_their_own_roles_when_deployed(stack: LocalStack) -> None:
    functions = stack.emulator.client("lambda").list_functions()["Functions"]

    roles = [function["Role"] for function in functions]
    assert len(roles) == len(set(roles)) == len(stack.facts["functions"])


def test_a_second_launcher_is_turned_away_with_a_way_out(stack: LocalStack) -> None:
    with pytest.raises(LocalStackError, match=r"already running \(process \d+\)"), exclusive(TEST):
        pytest.fail("two launchers held one stack")


def test_a_taken_port_is_named_with_a_free_one_to_use_instead(stack: LocalStack) -> None:
    taken = stack.postgres.port

    with pytest.raises(LocalStackError, match=rf"Port {taken} is taken.*make run PORT=\d+"):
        require_free(taken)


def test_data_queues_objects_and_addresses_survive_a_stop_and_a_start(stack: LocalStack, http: httpx.Client) -> None:
    bucket = stack.facts["data_bucket"]
    queue = stack.facts["queues"]["statements_dlq"]
    stack.emulator.client("s3").put_object(Bucket=bucket, Key="exports/survivor.txt", Body=b"still here")
    stack.emulator.client("sqs").send_message(QueueUrl=queue, MessageBody="still waiting")
    with psycopg.connect(stack.facts["database_url"], autocommit=True) as connection:
        connection.execute("CREATE TABLE survivor AS SELECT 'still stored' AS word")
    before = dict(stack.facts)

    stack.stop()
    stack.become(start(TEST))

    assert stack.facts == before
    assert http.get(stack.facts["api_url"] + "/health").status_code == 200
    kept = stack.emulator.client("s3").get_object(Bucket=bucket, Key="exports/survivor.txt")
    assert kept["Body"].read() == b"still here"
    messages = stack.emulator.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert [message["Body"] for message in messages] == ["still waiting"]
    stack.emulator.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=messages[0]["ReceiptHandle"])
    with psycopg.connect(stack.facts["database_url"], autocommit=True) as connection:
        assert connection.execute("SELECT word FROM survivor").fetchone() == ("still stored",)
        connection.execute("DROP TABLE survivor")


def test_a_deployment_onto_a_stack_that_is_there_moves_live_to_what_is_new(stack: LocalStack) -> None:
    before = live_versions(stack)

    stack.stop()
    stack.become(start(TEST, parameters={"LogLevel": "DEBUG"}))
    after, levels = live_versions(stack), live_levels(stack)

    # A value that is not given is as it was: that is what CloudFormation does.
    stack.stop()
    stack.become(start(TEST, parameters={"LogLevel": "INFO"}))
    assert {name for name in before if before[name] == after[name]} == set()
    assert set(levels.values()) == {"DEBUG"}
    assert set(live_levels(stack).values()) == {"INFO"}


def live_versions(stack: LocalStack) -> dict[str, str]:
    """The version of each function that `live` names, which is what requests and messages meet."""
    functions = stack.emulator.client("lambda")
    aliases = {
        name: functions.get_alias(FunctionName=full, Name="live") for name, full in stack.facts["functions"].items()
    }
    return {name: alias["FunctionVersion"] for name, alias in aliases.items()}


def live_levels(stack: LocalStack) -> dict[str, str]:
    """What those versions log."""
    functions = stack.emulator.client("lambda")
    found = {
        name: functions.get_function_configuration(FunctionName=full, Qualifier="live")
        for name, full in stack.facts["functions"].items()
    }
    return {name: item["Environment"]["Variables"]["LOG_LEVEL"] for name, item in found.items()}
