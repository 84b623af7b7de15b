"""Build, deploy to LocalStack, migrate, make the first credentials: the `deploy` service of docker-compose.yml."""

from __future__ import annotations

import json
import os
import platform
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from infra.compose.folding import fold_layers
from infra.packaging.database import database_parameters, login_parameters

ROOT = Path(__file__).resolve().parents[2]
SAM = ROOT / ".local" / "tools" / "sam" / "bin" / "sam"
STACK = "dataforge-local"
BUCKET = "deployments"
MACHINE = "aarch64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
RUNTIME = f"{sys.version_info.major}.{sys.version_info.minor}"


def main() -> None:
    """Deploy and print where things are."""
    template = fold_layers(_build(), ROOT / ".aws-sam" / "folded")
    if not any(bucket["Name"] == BUCKET for bucket in boto3.client("s3").list_buckets()["Buckets"]):
        boto3.client("s3").create_bucket(Bucket=BUCKET)
    parameters = {
        "Environment": "local",
        "Runtime": f"python{RUNTIME}",
        "Architecture": "arm64" if MACHINE == "aarch64" else MACHINE,
        **database_parameters(os.environ["DATABASE_URL"]),
        **login_parameters(os.environ["DATABASE_URL"], STACK),
        "EtlMode": os.environ.get("ETL_MODE", "streaming"),
        "TrustedHomePages": os.environ.get("TRUSTED_HOME_PAGES", ""),
        "EtlTimeoutSeconds": "10",
        "EtlVisibilitySeconds": "60",
    }
    outputs = _deploy(template, parameters)
    # LocalStack makes the API's id up: only a second deployment can tell the functions their public address.
    port = os.environ.get("PUBLIC_PORT", "4566")
    base = f"http://localhost:{port}/_aws/execute-api/{outputs['RestApiId']}/{outputs['StageName']}"
    _deploy(template, parameters | {"PublicBaseUrl": base})
    _invoke(outputs["SchemaDeployerFunctionName"], {"command": "migrate"})
    maintenance = outputs["MaintenanceFunctionName"]
    username = f"admin-{secrets.token_hex(3)}"
    admin = _invoke(
        maintenance, {"command": "create_admin", "username": username, "email": f"{username}@dataforge.example"}
    )
    credential = _invoke(maintenance, {"command": "create_xapi_credential", "name": "Local LMS", "deduplicate": True})
    print(f"API            {base}/health")
    print(f"xAPI endpoint  {base}/xapi")
    print(f"Administrator  {admin['username']}  {admin['password']}")
    print(f"xAPI key       {credential['key']}  {credential['secret']}")


def _build() -> Path:
    build = ROOT / ".aws-sam" / "compose"
    environment = _sam_environment() | {
        # The wheels of the oldest C library that a Lambda image has, not those of this container.
        "DATAFORGE_TARGET_PLATFORM": f"{MACHINE}-manylinux_2_28",
        "DATAFORGE_TARGET_PYTHON": RUNTIME,
    }
    overrides = [f"Runtime=python{RUNTIME}", f"Architecture={'arm64' if MACHINE == 'aarch64' else MACHINE}"]
    command = [str(SAM), "build", "--build-dir", str(build), "--parameter-overrides", *overrides]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return build


def _sam_environment() -> dict[str, str]:
    return dict(os.environ) | {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS": "1"}


def _deploy(template: Path, parameters: Mapping[str, str]) -> dict[str, str]:
    command = [str(SAM), "deploy", "--template-file", str(template), "--config-file", str(ROOT / "samconfig.toml")]
    command += ["--config-env", "local", "--no-progressbar", "--stack-name", STACK, "--s3-bucket", BUCKET]
    command += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
    subprocess.run(command, cwd=ROOT, env=_sam_environment(), check=True, stdout=subprocess.DEVNULL)
    description = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]}


def _invoke(function: str, payload: Mapping[str, object]) -> dict[str, Any]:
    answer = boto3.client("lambda").invoke(FunctionName=function, Payload=json.dumps(dict(payload)).encode())
    result = dict(json.loads(answer["Payload"].read()))
    if "FunctionError" in answer or "error" in result:
        sys.exit(f"{function} failed: {result}")
    return result


if __name__ == "__main__":
    main()
