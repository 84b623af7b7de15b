"""What the template promises about every function, queue, bucket and role, read from the template itself."""

import json
import re
import subprocess
import tomllib
from typing import Any

import pytest

from dataforge import settings
from dataforge.platform.db.grants import GRANTS
from infra.local import stack as local_stack
from infra.local.build import sam_environment
from infra.local.layout import ROOT, TOOLS
from infra.packaging.template import expand_loops, load_template

METHODS = {"get", "post", "put", "patch", "delete", "head", "options"}
# Read by the runtime's libraries rather than by our settings.
LIBRARY_VARIABLES = {"LOG_LEVEL", "MIMALLOC_PURGE_DELAY", "POWERTOOLS_SERVICE_NAME", "PYDANTIC_DISABLE_PLUGINS"}


TEMPLATE = load_template()
RESOURCES = expand_loops(TEMPLATE["Resources"])


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: resource.get("Properties", {}) for name, resource in RESOURCES.items() if resource["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
QUEUES = of_type("AWS::SQS::Queue")
ALARMS = of_type("AWS::CloudWatch::Alarm")
ROLES = of_type("AWS::IAM::Role")
SAMCONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text())


def parameter_default(value: Any) -> Any:
    return TEMPLATE["Parameters"][value["Ref"]]["Default"] if isinstance(value, dict) else value


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    found = [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]
    return [statement["Fn::If"][1] if "Fn::If" in statement else statement for statement in found]


def alarms_on(metric: str, dimension: str) -> set[str]:
    """Values of a dimension that have an alarm on a metric, without the stack's name."""
    return {
        entry["Value"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        for alarm in ALARMS.values()
        if alarm["MetricName"] == metric
        for entry in alarm["Dimensions"]
        if entry["Name"] == dimension and "Fn::Sub" in entry["Value"]
    }


def short_name(resource: dict[str, Any], member: str) -> str:
    return str(resource[member]["Fn::Sub"]).removeprefix("${AWS::StackName}-")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_a_role_of_its_own(name: str) -> None:
    role = FUNCTIONS[name]["Role"]["Fn::GetAtt"][0]

    assert role in ROLES
    assert [other for other in FUNCTIONS if FUNCTIONS[other]["Role"]["Fn::GetAtt"][0] == role] == [name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_writes_to_a_log_group_that_forgets(name: str) -> None:
    group = RESOURCES[FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]]

    assert group["Type"] == "AWS::Logs::LogGroup"
    assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert group["Properties"]["LogGroupName"]["Fn::Sub"].endswith(short_name(FUNCTIONS[name], "FunctionName"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_states_its_time_and_memory(name: str) -> None:
    assert 3 <= parameter_default(FUNCTIONS[name]["Timeout"]) <= 900
    assert 128 <= FUNCTIONS[name]["MemorySize"] <= 10240


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_functions_code_is_where_the_template_says(name: str) -> None:
    assert (ROOT / FUNCTIONS[name]["CodeUri"] / "app.py").is_file()


def test_every_function_directory_is_in_the_template() -> None:
    directories = {f"functions/{path.parent.name}" for path in (ROOT / "functions").glob("*/app.py")}

    assert directories == {function["CodeUri"] for function in FUNCTIONS.values()}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_work_that_nobody_waits_for_has_a_place_to_fail_to(name: str) -> None:
    function = FUNCTIONS[name]
    http = any(f"${{{name}.Arn}}" in str(path) for path in rest_paths().values())
    queues = [event["Properties"] for event in function.get("Events", {}).values() if event["Type"] == "SQS"]

    if http:
        return
    if queues:
        assert all("RedrivePolicy" in QUEUES[event["Queue"]["Fn::GetAtt"][0]] for event in queues)
    else:
        destination = function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]
        assert destination["Fn::GetAtt"][0] in QUEUES


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_queue_consumer_reports_single_failures_and_is_bounded(name: str) -> None:
    for event in FUNCTIONS[name].get("Events", {}).values():
        if event["Type"] == "SQS":
            assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
            most = event["Properties"]["ScalingConfig"]["MaximumConcurrency"]
            assert all(value >= 2 for value in (most["Fn::If"][1:] if isinstance(most, dict) else [most]))


def test_a_message_stays_invisible_for_six_timeouts_of_its_consumer() -> None:
    local = local_stack.FIXED_PARAMETERS
    for function in FUNCTIONS.values():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                queue = QUEUES[event["Properties"]["Queue"]["Fn::GetAtt"][0]]
                visibility, timeout = queue["VisibilityTimeout"], function["Timeout"]
                assert parameter_default(visibility) >= 6 * parameter_default(timeout)
                if isinstance(timeout, dict):
                    assert int(local[visibility["Ref"]]) >= 6 * int(local[timeout["Ref"]])


@pytest.mark.parametrize("event", [e for f in FUNCTIONS.values() for e in f.get("Events", {}).values()])
def test_a_schedule_is_of_the_scheduler_and_has_a_dead_letter_queue(event: dict[str, Any]) -> None:
    assert event["Type"] in {"SQS", "ScheduleV2"}
    if event["Type"] == "ScheduleV2":
        assert event["Properties"]["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] in QUEUES


def test_the_streaming_consumer_follows_the_mode_parameter() -> None:
    event = FUNCTIONS["XapiEtlFunction"]["Events"]["Queue"]["Properties"]

    assert event["Enabled"] == {"Fn::If": ["Streaming", True, False]}
    modes = {condition["Fn::Equals"][1] for condition in TEMPLATE["Conditions"]["Streaming"]["Fn::Or"]}
    assert modes == {"streaming", "stream"}


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_has_an_alarm_on(metric: str) -> None:
    names = {short_name(function, "FunctionName") for function in FUNCTIONS.values()}

    assert alarms_on(metric, "FunctionName") == names


def test_every_function_has_an_alarm_on_errors_that_look_like_success() -> None:
    services = {
        function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        for function in FUNCTIONS.values()
    }

    assert alarms_on("unhandled", "service") == services


def test_every_alarm_tells_somebody() -> None:
    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in ALARMS.values())


def test_queues_either_redrive_or_collect_what_was_given_up_and_have_their_alarms() -> None:
    working = {short_name(queue, "QueueName") for queue in QUEUES.values() if "RedrivePolicy" in queue}
    collecting = {short_name(queue, "QueueName") for queue in QUEUES.values() if "RedrivePolicy" not in queue}
    targets = {
        short_name(QUEUES[queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]], "QueueName")
        for queue in QUEUES.values()
        if "RedrivePolicy" in queue
    }

    assert alarms_on("ApproximateAgeOfOldestMessage", "QueueName") == working
    assert alarms_on("ApproximateNumberOfMessagesVisible", "QueueName") == collecting
    assert targets | {"failed-invocations"} == collecting


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_is_encrypted_and_takes_no_plain_http(name: str) -> None:
    policies = [policy for policy in of_type("AWS::SQS::QueuePolicy").values() if {"Ref": name} in policy["Queues"]]

    assert QUEUES[name]["SqsManagedSseEnabled"] is True
    assert len(policies) == 1
    assert any(denies_plaintext(statement) for statement in policies[0]["PolicyDocument"]["Statement"])


def denies_plaintext(statement: dict[str, Any]) -> bool:
    return statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_a_bucket_is_private_encrypted_tls_only_and_cleans_up(name: str) -> None:
    bucket = of_type("AWS::S3::Bucket")[name]
    policies = [policy for policy in of_type("AWS::S3::BucketPolicy").values() if policy["Bucket"] == {"Ref": name}]
    rules = bucket["LifecycleConfiguration"]["Rules"]

    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert any(
        denies_plaintext(statement) for policy in policies for statement in policy["PolicyDocument"]["Statement"]
    )
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)
    assert {"uploads/", "exports/", "lists/", "queue-bodies/"} <= {
        rule.get("Prefix") for rule in rules if "ExpirationInDays" in rule
    }


@pytest.mark.parametrize("name", ROLES)
def test_a_role_names_what_it_may_do_and_to_what(name: str) -> None:
    for statement in statements(ROLES[name]):
        assert not [action for action in statement["Action"] if action.endswith("*")]
        for resource in statement["Resource"]:
            assert isinstance(resource, dict), f"{resource} is not the ARN of a resource of this stack"
            if "Fn::Sub" in resource:
                own = (
                    "arn:${AWS::Partition}:s3:::${DataBucket}/",
                    "${AWS::AccountId}:identity/${MailIdentity}",
                    "${AWS::AccountId}:configuration-set/${AWS::StackName}-mail",
                    "foundation-model/${BedrockModelId}",
                    "${AWS::AccountId}:inference-profile/${BedrockModelId}",
                    "foundation-model/${BedrockProfileModelId}",
                    "glue:${AWS::Region}:${AWS::AccountId}:catalog",
                    "database/${IcebergNamespaces}_",
                    "table/${IcebergNamespaces}_",
                    "workgroup/${AWS::StackName}-tables",
                )
                assert any(part in resource["Fn::Sub"] for part in own)


def test_only_the_worker_may_ask_a_model_and_only_the_one_that_is_configured() -> None:
    asking = {
        name: statement
        for name, role in ROLES.items()
        for statement in statements(role)
        if any(action.startswith("bedrock:") for action in statement["Action"])
    }

    assert list(asking) == ["WorkerRole"]
    assert asking["WorkerRole"]["Action"] == ["bedrock:InvokeModel"]
    assert all("/${Bedrock" in resource["Fn::Sub"] for resource in asking["WorkerRole"]["Resource"])


@pytest.mark.parametrize("name", ROLES)
def test_managed_policies_are_those_that_cannot_name_a_resource(name: str) -> None:
    for policy in ROLES[name].get("ManagedPolicyArns", []):
        text = policy["Fn::If"][1]["Fn::Sub"] if "Fn::If" in policy else policy["Fn::Sub"]
        assert text.rpartition("/")[2] in {"AWSXRayDaemonWriteAccess", "AWSLambdaENIManagementAccess"}


def served_by(path: str) -> str:
    """The function that gets a request: at each place a fixed name wins over a variable, and that over a greedy one."""

    def rank(pattern: str) -> list[int]:
        return [2 if part.endswith("+}") else int(part.startswith("{")) for part in pattern.split("/")]

    def matches(pattern: str) -> bool:
        expression = re.sub(r"\\{\w+\\}", "[^/]+", re.sub(r"\\{\w+\\\+\\}", ".+", re.escape(pattern)))
        return re.fullmatch(expression, path) is not None

    best = min(filter(matches, rest_paths()), key=rank)
    uri = rest_paths()[best]["get"]["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
    return str(uri.split("functions/${")[1].split(".Arn}")[0])


def rest_paths() -> dict[str, dict[str, Any]]:
    return dict(of_type("AWS::Serverless::Api")["RestApi"]["DefinitionBody"]["paths"])


@pytest.mark.parametrize("path", rest_paths())
def test_a_path_spells_out_its_methods(path: str) -> None:
    item = rest_paths()[path]

    assert set(item) - {"parameters"} == METHODS
    assert [parameter["name"] for parameter in item.get("parameters", [])] == re.findall(r"{(\w+)\+?}", path)


def test_no_place_in_the_tree_of_paths_has_two_variables() -> None:
    variables: dict[str, set[str]] = {}
    for path in rest_paths():
        place = ""
        for part in path.strip("/").split("/"):
            if part.startswith("{"):
                variables.setdefault(place, set()).add(part)
            place += f"/{part}"

    # API Gateway refuses a second one, greedy or not.
    assert {place: names for place, names in variables.items() if len(names) > 1} == {}


@pytest.mark.parametrize(
    ("path", "function"),
    [
        ("/api/datasets", "DatasetsApiFunction"),
        ("/api/datasets/1", "DatasetsApiFunction"),
        ("/api/datasets/1/refs", "DatasetsApiFunction"),
        ("/api/datasets/1/refs/main", "DatasetsApiFunction"),
        ("/api/datasets/1/refs/main/data", "DatasetsApiFunction"),
        ("/api/datasets/1/compare", "DatasetsApiFunction"),
        ("/api/datasets/1/refs/main/sql", "DatasetsSqlFunction"),
        ("/api/sql", "DatasetsSqlFunction"),
        ("/api/v1/sql", "DatasetsSqlFunction"),
        ("/api/reports/at-risk", "DatasetsApiFunction"),
        ("/api/reports/lessons/1/funnel", "DatasetsApiFunction"),
        ("/api/v1/reports/cohorts/1", "DatasetsApiFunction"),
        ("/ui/reports", "DatasetsApiFunction"),
        ("/ui/reports/cohorts/1", "DatasetsApiFunction"),
        ("/api/datasets/1/commits/a1/sql", "DatasetsSqlFunction"),
        ("/api/cohorts/1/completions", "ApiFunction"),
        ("/api/xapi/statements", "XapiFunction"),
        ("/api/xapi/quarantine", "ApiFunction"),
    ],
)
def test_the_most_specific_path_wins(path: str, function: str) -> None:
    assert served_by(path) == function


def test_version_1_goes_where_the_api_goes() -> None:
    own = [path for path in rest_paths() if path.startswith("/api/") and not path.startswith("/api/v1/")]
    named = {path.replace("/api/", "/api/v1/", 1) for path in own if path != "/api/{proxy+}"}

    assert named == {path for path in rest_paths() if path.startswith("/api/v1/")}
    for path in named:
        assert rest_paths()[path] == rest_paths()[path.replace("/api/v1/", "/api/", 1)]


def test_each_path_goes_to_one_function_that_the_gateway_may_call() -> None:
    permitted = {
        permission["FunctionName"]["Ref"].removesuffix(".Alias")
        for permission in of_type("AWS::Lambda::Permission").values()
    }

    for path, item in rest_paths().items():
        uris = {item[method]["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"] for method in METHODS}
        assert len(uris) == 1, path
        assert uris.pop().split("functions/${")[1].split(".Arn}")[0] in permitted, path


def test_bodies_reach_the_functions_byte_for_byte() -> None:
    assert of_type("AWS::Serverless::Api")["RestApi"]["BinaryMediaTypes"] == ["*/*"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_release_is_taken_back_when_its_alarms_ring(name: str) -> None:
    preference = FUNCTIONS[name]["DeploymentPreference"]

    assert preference["Enabled"] == {"Ref": "CanaryDeployments"}
    assert len(preference["Alarms"]) >= 2
    assert all(alarm["Ref"] in ALARMS for alarm in preference["Alarms"])
    assert TEMPLATE["Globals"]["Function"]["AutoPublishAlias"] == "live"


def test_database_and_network_exist_only_where_no_database_is_given() -> None:
    for name, resource in RESOURCES.items():
        if resource["Type"].startswith(("AWS::RDS::", "AWS::EC2::")):
            assert resource.get("Condition") == "CreateDatabase", name


def test_the_database_is_encrypted_backed_up_and_kept() -> None:
    cluster = RESOURCES["DatabaseCluster"]

    assert cluster["DeletionPolicy"] == "Snapshot"
    assert cluster["Properties"]["StorageEncrypted"] is True
    assert cluster["Properties"]["BackupRetentionPeriod"] >= 7
    assert cluster["Properties"]["ManageMasterUserPassword"] is True
    assert RESOURCES["DatabaseProxy"]["Properties"]["RequireTLS"] is True


def test_the_database_url_is_never_shown() -> None:
    assert TEMPLATE["Parameters"]["DatabaseUrl"]["NoEcho"] is True


def secrets_of(name: str) -> set[str]:
    """Logical ids of the secrets that a function's role reads."""
    role = ROLES[FUNCTIONS[name]["Role"]["Fn::GetAtt"][0]]
    resources = [
        resource
        for statement in statements(role)
        if "secretsmanager:GetSecretValue" in statement["Action"]
        for resource in statement["Resource"]
    ]
    return {resource.get("Ref") or resource["Fn::GetAtt"][0] for resource in resources}


def variables_of(name: str) -> dict[str, Any]:
    return dict(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]) | dict(
        FUNCTIONS[name]["Environment"]["Variables"]
    )


DEPLOYER = "SchemaDeployerFunction"


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {DEPLOYER}))
def test_a_function_knows_its_own_login_of_the_database_and_no_other(name: str) -> None:
    function = short_name(FUNCTIONS[name], "FunctionName")
    login = f"DatabaseLogin{function.replace('-', '')}"

    assert function in GRANTS
    assert variables_of(name)["DATABASE_SECRET_ARN"] == {"Ref": login}
    own_url = "".join(word.capitalize() for word in function.split("-")) + "DatabaseUrl"
    assert variables_of(name)["DATABASE_URL"] == {"Ref": own_url}
    assert TEMPLATE["Parameters"][own_url]["NoEcho"] is True
    others = {variables_of(name)[key]["Ref"] for key in variables_of(name) if key == "PROOF_DATABASE_SECRET_ARN"}
    assert {secret for secret in secrets_of(name) if secret.startswith("Database")} == {login, *others}
    template = RESOURCES[login]["Properties"]["GenerateSecretString"]["SecretStringTemplate"]["Fn::Sub"]
    assert json.loads(template) == {"username": f"${{AWS::StackName}}-{function}"}


def test_the_api_alone_proves_plans_of_schemas_and_with_a_login_for_that() -> None:
    provers = {name: variables_of(name) for name in FUNCTIONS if "PROOF_DATABASE_SECRET_ARN" in variables_of(name)}

    assert list(provers) == ["ApiFunction"]
    assert provers["ApiFunction"]["PROOF_DATABASE_SECRET_ARN"] == {"Ref": "DatabaseLoginschemaproof"}
    assert provers["ApiFunction"]["PROOF_DATABASE_URL"] == {"Ref": "SchemaProofDatabaseUrl"}
    assert GRANTS["schema-proof"] == {}


def test_the_deployer_makes_every_login_and_alone_owns_the_tables() -> None:
    variables = variables_of(DEPLOYER)
    condition, urls, arns = variables["DATABASE_LOGINS"]["Fn::If"]
    logins = json.loads(arns["Fn::Sub"])
    secrets = {logins[function].strip("${}") for function in logins}

    assert condition == "LoginsInUrls"
    assert set(logins) == set(json.loads(urls["Fn::Sub"])) == set(GRANTS)
    assert all(logins[function] == f"${{DatabaseLogin{function.replace('-', '')}}}" for function in logins)
    assert variables["DATABASE_URL"] == {"Ref": "DatabaseUrl"}
    assert secrets <= secrets_of(DEPLOYER)
    proxy = RESOURCES["DatabaseProxy"]["Properties"]["Auth"]
    assert {entry["SecretArn"].get("Ref") for entry in proxy} - {None} == secrets


def test_only_functions_that_sign_read_the_signing_keys() -> None:
    readers = {name for name in FUNCTIONS if "SigningKeysSecret" in secrets_of(name)}
    told = {name for name in FUNCTIONS if "SIGNING_KEYS_SECRET_ARN" in variables_of(name)}

    assert readers == told == {"ApiFunction", "MaintenanceFunction"}


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("ApiFunction", "ApiReservedConcurrency"),
        ("XapiFunction", "XapiReservedConcurrency"),
        ("DatasetsSqlFunction", "SqlReservedConcurrency"),
    ],
)
def test_what_people_wait_for_has_executions_of_its_own(name: str, parameter: str) -> None:
    condition, reserved, otherwise = FUNCTIONS[name]["ReservedConcurrentExecutions"]["Fn::If"]

    assert (reserved, otherwise) == ({"Ref": parameter}, {"Ref": "AWS::NoValue"})
    assert TEMPLATE["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, 0]}]}
    assert TEMPLATE["Parameters"][parameter]["Default"] > 0


def test_every_variable_of_the_template_is_one_the_settings_read() -> None:
    known = {
        field.upper()
        for model in vars(settings).values()
        if isinstance(model, type) and issubclass(model, settings.Settings)
        for field in model.model_fields
    }
    given = set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    for function in FUNCTIONS.values():
        given |= set(function["Environment"]["Variables"])

    assert given - LIBRARY_VARIABLES <= known


@pytest.mark.parametrize("environment", ["dev", "staging", "prod", "local"])
def test_an_environment_sets_parameters_that_exist_to_values_they_may_have(environment: str) -> None:
    deploy = SAMCONFIG[environment]["deploy"]["parameters"]
    overrides = dict(entry.split("=", 1) for entry in deploy.get("parameter_overrides", []))
    if environment == "local":
        overrides = local_stack.FIXED_PARAMETERS

    for name, value in overrides.items():
        allowed = TEMPLATE["Parameters"][name].get("AllowedValues")
        assert allowed is None or value in {str(item) for item in allowed}
    assert environment == "local" or overrides["Environment"] == environment


def test_releases_to_staging_and_prod_shift_traffic_step_by_step() -> None:
    for environment in ("staging", "prod"):
        assert "CanaryDeployments=true" in SAMCONFIG[environment]["deploy"]["parameters"]["parameter_overrides"]


@pytest.mark.slow
def test_cfn_lint_finds_nothing() -> None:
    from cfnlint.api import ManualArgs, lint  # seconds, which only this test pays

    found = lint((ROOT / "template.yaml").read_text(), config=ManualArgs(regions=["us-east-1", "eu-central-1"]))

    assert [str(match) for match in found] == []


@pytest.mark.build
def test_sam_validates_the_template() -> None:
    sam = TOOLS / "sam" / "bin" / "sam"
    command = [str(sam), "validate", "--lint", "--region", "eu-central-1"]

    result = subprocess.run(command, cwd=ROOT, env=sam_environment(), capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "is a valid SAM Template" in result.stdout


def test_a_release_that_changes_only_a_layer_publishes_new_versions() -> None:
    resources = [item for item in TEMPLATE["Resources"].values() if isinstance(item, dict)]
    layers = [item["Properties"] for item in resources if item.get("Type") == "AWS::Serverless::LayerVersion"]
    functions = [item["Properties"] for item in resources if item.get("Type") == "AWS::Serverless::Function"]

    assert layers
    assert functions
    assert all(layer.get("PublishLambdaVersion") is True for layer in layers)
    assert all(function.get("AutoPublishAliasAllProperties") is True for function in functions)


def test_statements_are_prepared_on_a_database_of_ones_own_but_never_through_the_proxy() -> None:
    value = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]["DATABASE_PREPARED_STATEMENTS"]

    assert value == {"Fn::If": ["CreateDatabase", "false", {"Ref": "DatabasePreparedStatements"}]}


def test_what_becomes_of_mails_reaches_the_notifier_and_nobody_else_writes_there() -> None:
    resources = RESOURCES
    destination = resources["MailFeedback"]["Properties"]["EventDestination"]
    topic = resources["FeedbackTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    queue = resources["FeedbackQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    senders = [
        name
        for name, resource in resources.items()
        if "MAIL_CONFIGURATION_SET" in resource.get("Properties", {}).get("Environment", {}).get("Variables", {})
    ]

    assert sorted(destination["MatchingEventTypes"]) == ["bounce", "complaint"]
    assert destination["SnsDestination"]["TopicARN"] == {"Ref": "FeedbackTopic"}
    assert [item["Principal"] for item in topic if item["Effect"] == "Allow"] == [{"Service": "ses.amazonaws.com"}]
    assert [item["Condition"] for item in queue if item["Effect"] == "Allow"] == [
        {"ArnEquals": {"aws:SourceArn": {"Ref": "FeedbackTopic"}}}
    ]
    assert sorted(senders) == ["MaintenanceFunction", "RemindersFunction"]
    assert resources["FeedbackQueue"]["Properties"]["VisibilityTimeout"] >= 6 * int(
        resources["NotifierFunction"]["Properties"]["Timeout"]
    )


def test_whoever_shows_the_depths_of_queues_may_ask_every_one_of_them() -> None:
    asked = {
        resource["Fn::GetAtt"][0]
        for statement in statements(ROLES["ApiRole"])
        if "sqs:GetQueueAttributes" in statement["Action"]
        for resource in statement["Resource"]
    }

    shown = {name for name in QUEUES if name != "FailedInvocationsQueue"}
    assert shown <= asked
