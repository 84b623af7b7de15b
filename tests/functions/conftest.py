"""Built functions under AWS's Runtime Interface Emulator, with nothing on their path but what was packaged."""

import base64
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from infra.local.build import build
from infra.local.layout import ARCHITECTURE, BUILD, TOOLS
from infra.local.placeholders import NOWHERE
from infra.local.ports import free_port
from infra.packaging.template import function_layers, load_template

# What the Lambda runtime itself brings besides Python; everything else must come out of the package.
RUNTIME_MODULES = ("awslambdaric", "runtime_client", "snapshot_restore_py", "simplejson")
BASE_PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class PackagedFunction:
    """A function as it was built: its code, its layers and the interpreter that sees nothing else."""

    code: Path
    layers: tuple[Path, ...]
    runtime: Path

    def environment(self, **variables: str) -> dict[str, str]:
        """Variables of the execution environment: the packaged paths, the runtime's and those of the template."""
        path = [self.code, *(layer / "python" for layer in self.layers), self.runtime]
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": str(self.code),
            "AWS_LAMBDA_FUNCTION_NAME": self.code.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            # Nobody listens there: what a test does not provide must not be needed for an answer.
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            **NOWHERE,
            "ENVIRONMENT": "local",
            "POWERTOOLS_SERVICE_NAME": self.code.name,
            **variables,
        }

    def python(self, source: str) -> subprocess.CompletedProcess[str]:
        """Run Python source in the execution environment."""
        command = [str(BASE_PYTHON), "-S", "-s", "-c", source]
        return subprocess.run(
            command, env=self.environment(), cwd=self.code, capture_output=True, text=True, timeout=120, check=False
        )


Invoke = Callable[[str, dict[str, Any]], Any]


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], PackagedFunction]:
    """The built functions by logical id; builds first when the sources have changed."""
    build()
    runtime = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME_MODULES:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            continue
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (runtime / source.name).symlink_to(source)
    layers = function_layers(load_template())

    def of(logical_id: str) -> PackagedFunction:
        return PackagedFunction(BUILD / logical_id, tuple(BUILD / name for name in layers[logical_id]), runtime)

    return of


@pytest.fixture
def invoke(packaged: Callable[[str], PackagedFunction]) -> Iterator[Callable[..., Any]]:
    """Start a function under the interface emulator, send it one event, return its answer."""
    processes: list[subprocess.Popen[bytes]] = []

    def call(logical_id: str, event: dict[str, Any], **variables: str) -> Any:
        function = packaged(logical_id)
        address, runtime_api = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        command = [
            str(_interface_emulator()),
            *("--runtime-interface-emulator-address", address, "--runtime-api-address", runtime_api),
            *(str(BASE_PYTHON), "-S", "-s", "-m", "awslambdaric", "app.handler"),
        ]
        process = subprocess.Popen(command, env=function.environment(**variables), cwd=function.code)
        processes.append(process)
        return _post(f"http://{address}/2015-03-31/functions/function/invocations", event)

    yield call
    for process in processes:
        process.terminate()
        process.wait(10)


def _interface_emulator() -> Path:
    found = list((TOOLS / "sam").glob(f"lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{ARCHITECTURE}"))
    assert found, "aws-sam-cli carries the Runtime Interface Emulator; 'make setup' installs it"
    found[0].chmod(0o755)
    return found[0]


def _post(url: str, event: dict[str, Any]) -> Any:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, json.dumps(event).encode(), timeout=60) as response:
                return json.loads(response.read())
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def http_event(method: str, path: str, *, body: str | None = None) -> dict[str, Any]:
    """A request as API Gateway's REST proxy integration hands it over."""
    headers = {
        "host": "api.dataforge.example",
        "content-type": "application/json",
        "x-experience-api-version": "1.0.3",
    }
    return {
        "version": "1.0",
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api",
            "stage": "local",
            "requestId": "00000000-0000-4000-8000-000000000000",
            "path": f"/local{path}",
            "httpMethod": method,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "test"},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def json_body(response: dict[str, Any]) -> Any:
    """The body of an HTTP function's answer."""
    body = response["body"]
    return json.loads(base64.b64decode(body) if response.get("isBase64Encoded") else body)
