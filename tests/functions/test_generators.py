"""Generators of clients read our OpenAPI document without a complaint, and what they make of it works."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import Database
from infra.local.emulator import Emulator
from infra.local.postgres import PostgresServer
from tests.builders.browser import PASSWORD, add_person
from tests.builders.emulator import emulated_aws
from tests.builders.generators import DOCUMENT, python_client, run_package, run_script, typescript_client
from tests.builders.roles import dispose_roles
from tests.builders.server import ServedApp
from tests.builders.time import NOW
from tests.builders.whole_api import WholeApi

# Reads a list and one thing, changes it by its ETag, is refused with the ETag of before.
_JOURNEY = """
import sys
from dataforge_api_client import AuthenticatedClient, Client
from dataforge_api_client.api.catalog import change_course, create_course, create_department, get_course, list_courses
from dataforge_api_client.api.sign_in import sign_in
from dataforge_api_client.models import CourseIn, CoursePatch, DepartmentIn, LoginIn, Problem

base, username, password = sys.argv[1:]
session = sign_in.sync(client=Client(base_url=base), body=LoginIn(username=username, password=password))
api = AuthenticatedClient(base_url=base, token=session.access_token)
department = create_department.sync(client=api, body=DepartmentIn(code="GEN", name="Safety"))
made = create_course.sync(client=api, body=CourseIn(code="GEN-1", title="First", department_id=department.id))
assert made.id in {course.id for course in list_courses.sync(client=api).items}
read = get_course.sync_detailed(made.id, client=api)
tag = read.headers["ETag"]
changed = change_course.sync(made.id, client=api, if_match=tag, body=CoursePatch(title="Second"))
late = change_course.sync_detailed(made.id, client=api, if_match=tag, body=CoursePatch(title="Lost"))
assert isinstance(late.parsed, Problem)
print(read.parsed.title, changed.title, late.status_code.value, late.parsed.code)
"""


@dataclass(frozen=True)
class Served:
    """The API on a port, and an administrator who can sign in."""

    url: str
    username: str


@pytest.fixture(scope="module")
def served(postgres: PostgresServer, template_database: str, emulator_server: Emulator) -> Iterator[Served]:
    """Both apps behind one address, on a database of their own."""
    url = postgres.create_database(f"generated_{secrets.token_hex(4)}", template=template_database)
    with emulated_aws(emulator_server) as aws:
        whole = WholeApi(Database(url, pool_size=6), FixedClock(NOW), aws)
        with ServedApp(whole.gateway) as server:
            server.run(whole.start())
            server.run(add_person(whole.api, Role.ADMIN, "olga"))
            yield Served(server.url, "olga")
            server.run(whole.close())
            server.run(dispose_roles(whole.database))
            server.run(whole.database.dispose())


def test_openapi_typescript_makes_a_client_that_goes_through_the_rush(served: Served, tmp_path: Path) -> None:
    output = typescript_client(tmp_path)
    printed = run_script(tmp_path / "rush.js", served.url, served.username, PASSWORD, NOW.date().isoformat())

    assert len(output.splitlines()) == 2, output  # its name, and what it wrote
    assert json.loads(printed) == {
        "enrolled": 10,
        "waiting": list(range(1, 21)),
        "refused": ["capacity"] * 20,
        "listed": 50,  # those who were refused, too
        "title": "Fire safety, second edition",
        "credits": 3,
        "late": "stale_version",
    }


def test_openapi_python_client_makes_a_package_that_reads_and_changes(served: Served, tmp_path: Path) -> None:
    output = python_client(tmp_path)
    done = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "-c", _JOURNEY, served.url, served.username, PASSWORD],
        cwd=tmp_path / "generated",
        capture_output=True,
        text=True,
        check=False,
    )

    assert len(output.splitlines()) == 1, output  # what it generates
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["First", "Second", "412", "stale_version"]


def test_every_module_of_the_python_client_is_imported(tmp_path: Path) -> None:
    python_client(tmp_path)
    script = (
        "import dataforge_api_client.api as api, importlib, pkgutil\n"
        "names = [m.name for m in pkgutil.walk_packages(api.__path__, api.__name__ + '.')]\n"
        "[importlib.import_module(name) for name in names]\n"
        "print(len(names))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path / "generated", capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) > 400


def test_the_linter_of_redocly_finds_nothing(tmp_path: Path) -> None:
    rules = Path(__file__).parent / "generators" / "redocly.yaml"

    output = run_package("redocly", "lint", "--config", str(rules), "--format=json", str(DOCUMENT), place=tmp_path)

    assert '"problems": []' in output, output[:3000]
