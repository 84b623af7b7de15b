"""``make deploy ENV=dev|staging|prod``: build for AWS, deploy, migrate. The manual steps are in infra/runbooks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.packaging.database import database_parameters

ROOT = Path(__file__).resolve().parents[2]
SAM = ROOT / ".local" / "tools" / "sam" / "bin" / "sam"
BUILD = ROOT / ".aws-sam" / "aws"
ENVIRONMENTS = ("dev", "staging", "prod")


def main() -> int:
    """Deploy the environment named on the command line; returns the exit status."""
    environment = sys.argv[1] if len(sys.argv) > 1 else ""
    if environment not in ENVIRONMENTS:
        return _fail(f"'{environment}' is no environment.", f"Run 'make deploy ENV={'|'.join(ENVIRONMENTS)}'.")
    try:
        account = boto3.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        return _fail(
            f"AWS does not know you: {error}.", "Sign in ('aws sso login', AWS_PROFILE, AWS_REGION) and run again."
        )
    parameters = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]["deploy"]["parameters"]
    stack = parameters["stack_name"]
    print(f"Deploying {stack} to account {account}.", flush=True)
    variables = os.environ | {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS": "1"}
    build = [str(SAM), "build", "--build-dir", str(BUILD)]
    deploy = [str(SAM), "deploy", "--template-file", str(BUILD / "template.yaml")]
    deploy += ["--config-file", str(ROOT / "samconfig.toml"), "--config-env", environment]
    if os.environ.get("DATABASE_URL"):
        # The command line replaces the configured list, so the configured values go along.
        deploy += ["--parameter-overrides", *parameters["parameter_overrides"]]
        try:
            existing = database_parameters(os.environ["DATABASE_URL"])
        except ValueError as error:
            return _fail(f"DATABASE_URL: {error}", "Set it and run again, or unset it to have a database made.")
        deploy += [f"{name}={value}" for name, value in existing.items()]
    for command in (build, deploy):
        if subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode != 0:
            return _fail(f"'sam {command[1]}' failed; its own words are above.", "Nothing later was done.")
    answer = _migrate(stack)
    if "error" in answer:
        return _fail(
            f"The migration was refused: {answer['error']['detail']}", f"Run 'make deploy ENV={environment}' again."
        )
    print(f"Migrated from {answer['before']} to {answer['after']}.")
    return 0


def _migrate(stack: str) -> dict[str, Any]:
    description = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]}
    # $LATEST and not the alias: during a canary the alias still points at the old code with the old migrations.
    answer = boto3.client("lambda").invoke(
        FunctionName=outputs["SchemaDeployerFunctionName"], Payload=json.dumps({"command": "migrate"}).encode()
    )
    result = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        return {"error": {"detail": result.get("errorMessage", str(result))}}
    return dict(result)


def _fail(cause: str, way_out: str) -> int:
    print(f"error: {cause} {way_out}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
