"""The program `dataforge`, run as its users run it, against the whole API."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.responses import Response

from dataforge.kernel.principal import Role
from tests.builders.receivers import Receiver
from tests.builders.report_samples import LearningCohort, ReportSamples
from tests.builders.served import ServedApi
from tests.builders.statements import statement

CSV = "student,mark\nada,90\nbob,71\n"
SOURCES = Path(__file__).parents[3] / "clients" / "python" / "src"


@dataclass
class Ran:
    """What a command left."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Shell:
    """Somebody at a terminal, with a home directory of their own."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, given: str = "", status: int = 0) -> Ran:
        run = subprocess.run(
            [sys.executable, "-m", "dataforge_client.cli", *arguments],
            check=False,
            capture_output=True,
            text=True,
            input=given,
            cwd=self.home,
            timeout=120,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "PYTHONPATH": str(SOURCES), **self.environment},
        )
        assert run.returncode == status, (run.stdout, run.stderr)
        return Ran(run.returncode, run.stdout, run.stderr)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def signed_in(served: ServedApi, shell: Shell) -> Callable[[Role], Shell]:
    def as_role(role: Role) -> Shell:
        _, name, password = served.person(role)
        shell("login", served.url, "-u", name, "--password-stdin", given=f"{password}\n")
        return shell

    return as_role


def test_a_sign_in_is_kept_for_oneself_and_forgotten(served: ServedApi, shell: Shell) -> None:
    _, name, password = served.person(Role.ANALYST)
    kept = shell.home / ".config" / "dataforge" / "config.json"

    said = shell("login", served.url + "/", "-u", name, "--password-stdin", given=f"{password}\n")

    assert f"Signed in as {name} (analyst)" in said.out
    assert kept.stat().st_mode & 0o777 == 0o600
    assert password not in kept.read_text()
    assert shell("--json", "whoami").rows[0]["username"] == name
    assert "ok" in shell("doctor").out
    assert all(check["ok"] for check in shell("--json", "doctor").rows)

    assert "Signed out." in shell("logout").out
    assert "dataforge login" in shell("whoami", status=4).err
    assert shell("--json", "doctor", status=4).rows[0]["ok"] is False


def test_wrong_passwords_and_addresses_are_told_apart(served: ServedApi, shell: Shell) -> None:
    _, name, _ = served.person(Role.ANALYST)

    wrong = shell("login", served.url, "-u", name, "--password-stdin", given="something else\n", status=4)
    nowhere = shell("login", "http://127.0.0.1:9", "-u", name, "--password-stdin", given="x\n", status=1)

    assert wrong.err.startswith("error: ")
    assert "does not answer" in nowhere.err
    assert "Traceback" not in wrong.err + nowhere.err


@pytest.mark.parametrize("status", [200, 302, 403, 404, 501])
def test_an_address_that_is_no_api_is_called_that(shell: Shell, status: int) -> None:
    with Receiver(lambda _: Response("<h1>Welcome</h1>", status, media_type="text/html")) as site:
        login = shell("login", site.url, "-u", "ada", "--password-stdin", given="x\n", status=1)
        shell.environment |= {"DATAFORGE_URL": site.url, "DATAFORGE_TOKEN": "x"}
        listed = shell("datasets", "ls", status=1)

    for said in (login.err, listed.err):
        assert f"{site.url} is not the address of a DataForge API: it answers {status} with text/html" in said
        assert "Traceback" not in said


def test_a_token_is_kept_or_given_by_the_environment(served: ServedApi, shell: Shell) -> None:
    token = served.token(Role.ANALYST)

    shell("--profile", "work", "login", "--token", served.url, given=token + "\n")
    by_environment = Shell(shell.home, {"DATAFORGE_URL": served.url, "DATAFORGE_TOKEN": token})

    assert shell("--profile", "work", "--json", "whoami").rows[0]["role"] == "analyst"
    assert by_environment("--json", "whoami").rows[0]["role"] == "analyst"
    assert "no profile 'other'" in shell("--profile", "other", "whoami", status=4).err


def test_a_dataset_is_pushed_pulled_compared_and_merged(signed_in: Callable[[Role], Shell]) -> None:
    shell = signed_in(Role.ANALYST)
    (shell.home / "marks.csv").write_text(CSV)
    push = ("datasets", "push", "Grades", "marks.csv", "--key", "student")

    assert "main is at" in shell(*push, "--create", "-m", "first").out
    assert "Nothing changed." in shell(*push).out
    (shell.home / "marks.csv").write_text(CSV.replace("71", "81") + "cyd,77\n")
    planned = shell("--json", *push, "--dry-run").rows
    shell(*push, "-m", "May")
    log = shell("--json", "datasets", "log", "Grades").rows
    changes = shell("--json", "datasets", "diff", "Grades", str(log[1]["commit_id"])).rows
    shell("datasets", "diff", "Grades", str(log[1]["commit_id"]), "--exit-code", status=6)
    shell("datasets", "diff", "Grades", "main", "--exit-code")
    shell("datasets", "pull", "Grades", "old.csv", "--version", str(log[1]["commit_id"]))
    shell("datasets", "pull", "Grades", "new.parquet")
    piped = shell("datasets", "pull", "Grades", "-", "--version", str(log[1]["commit_id"]))

    assert piped.out == (shell.home / "old.csv").read_text()
    assert not (shell.home / "-").exists()
    assert (planned[0]["inserted"], planned[0]["updated"]) == (1, 1)
    assert [entry["message"] for entry in log][:2] == ["May", "first"]
    assert sorted(str(change["kind"]) for change in changes) == ["inserted", "updated"]
    assert (shell.home / "old.csv").read_text() == CSV
    assert (shell.home / "new.parquet").read_bytes()[:4] == b"PAR1"
    assert shell("--json", "datasets", "ls").rows[0]["name"] == "Grades"
    asked = shell("--json", "datasets", "sql", "-d", "Grades", "SELECT max(mark) AS best FROM data")
    assert asked.rows == [{"best": 90}]
    assert "ada" in shell("datasets", "sql", "-d", "Grades", "SELECT * FROM data").out
    assert "'Nothing'" in shell("datasets", "pull", "Nothing", "x.csv", status=3).err
    assert not (shell.home / "x.csv").exists()


def test_conflicts_stop_a_merge_and_are_listed(served: ServedApi, signed_in: Callable[[Role], Shell]) -> None:
    shell = signed_in(Role.ANALYST)
    (shell.home / "marks.csv").write_text(CSV)
    shell("datasets", "push", "Grades", "marks.csv", "--key", "student", "--create")
    from dataforge_client import Client

    token = json.loads((shell.home / ".config/dataforge/config.json").read_text())["profiles"]["default"]
    with Client(served.url, token["access_token"]) as client:
        grades = client.datasets["Grades"]
        grades.branch("correction")
        for ref, mark in (("correction", 80), ("main", 60)):
            change = [{"op": "update", "key": {"student": "bob"}, "values": {"mark": mark}}]
            grades.change(change, message=ref, ref=ref)
        grades.branch("other", at="main")
        change = [{"op": "update", "key": {"student": "ada"}, "values": {"mark": 95}}]
        grades.change(change, message="other", ref="other")

    stopped = shell("datasets", "merge", "Grades", "correction", status=3)
    looked = shell("--json", "datasets", "merge", "Grades", "other", "--dry-run").rows[0]
    merged = shell("datasets", "merge", "Grades", "other")

    assert "bob" in stopped.out
    assert looked["conflict_count"] == 0
    assert "main is at" in merged.out


def test_a_dry_run_names_columns_that_change(signed_in: Callable[[Role], Shell]) -> None:
    shell = signed_in(Role.ANALYST)
    (shell.home / "marks.csv").write_text(CSV)
    push = ("datasets", "push", "Grades", "marks.csv", "--key", "student")
    shell(*push, "--create")
    (shell.home / "marks.csv").write_text("student,mark,note\nada,good,\nbob,71,\n")

    planned = shell(*push, "--dry-run").out

    assert "data: column mark: int → string" in planned
    assert "data: column note: absent → string" in planned


def test_what_people_wrote_is_shown_as_they_wrote_it(signed_in: Callable[[Role], Shell]) -> None:
    shell = signed_in(Role.ANALYST)
    (shell.home / "marks.csv").write_text("student,note\nada,[/bold] and [red]so on[/red]\n")
    shell("datasets", "push", "Odd [/x] name", "marks.csv", "--create")

    listed = shell("datasets", "ls").out
    asked = shell("datasets", "sql", "SELECT * FROM data", "--dataset", "Odd [/x] name").out

    assert "Odd [/x] name" in listed
    assert "[/bold] and [red]so on[/red]" in asked


def test_what_is_not_there_is_said_without_a_request_that_was_not(signed_in: Callable[[Role], Shell]) -> None:
    refused = signed_in(Role.ANALYST)("datasets", "log", "Nothing", status=3)

    assert "(dataset_not_found)" in refused.err


def test_a_roster_is_planned_and_applied(served: ServedApi, signed_in: Callable[[Role], Shell]) -> None:
    semester, data = served.run(served.whole.roster())
    shell = signed_in(Role.REGISTRAR)
    (shell.home / "roster.csv").write_bytes(data)

    plan = shell("--json", "roster", "plan", str(semester), "roster.csv").rows[0]
    rows = shell("--json", "roster", "rows", str(plan["id"]), "--action", "create").rows
    applied = shell("roster", "apply", str(plan["id"]))

    assert {row["kind"] for row in rows} >= {"enrollment"}
    assert "applied" in applied.out
    assert "no semester" in shell("roster", "plan", "nowhere", "roster.csv", status=1).err


def test_statements_are_sent_found_and_refused(served: ServedApi, signed_in: Callable[[Role], Shell]) -> None:
    shell = signed_in(Role.ADMIN)
    key, secret = served.credential()
    shell.environment |= {"DATAFORGE_XAPI_KEY": key, "DATAFORGE_XAPI_SECRET": secret}
    good = [statement(actor={"mbox": f"mailto:p{number}@e.org"}) for number in range(3)]
    lines = "".join(json.dumps(item) + "\n" for item in good)

    assert shell("lrs", "send", given=lines).out == "3 accepted, 0 refused\n"
    assert shell("--json", "lrs", "send", given=json.dumps(good)).rows[0]["accepted"] == 3
    wrong = json.dumps({**good[0], "verb": {"id": "completed"}}) + "\n"
    refused = shell("--json", "lrs", "send", "--skip-refused", given=lines + wrong, status=3).rows[0]
    broken = shell("lrs", "send", given=lines + "{\n", status=1)
    served.deliver()
    found = shell("--json", "lrs", "query", "--email", "p1@e.org").rows

    assert (refused["accepted"], len(refused["refused"])) == (3, 1)  # type: ignore[arg-type]  # a list
    assert "standard input, line 4" in broken.err
    assert found
    assert {item["actor"]["mbox"] for item in found} == {"mailto:p1@e.org"}  # type: ignore[index]  # an agent
    assert "p1@e.org" in shell("lrs", "query", "-n", "5").out


def test_keys_are_made_listed_and_revoked(signed_in: Callable[[Role], Shell]) -> None:
    shell = signed_in(Role.ADMIN)

    made = shell("--json", "keys", "create", "Moodle", "--scope", "statements/write").rows[0]
    listed = shell("--json", "keys", "ls").rows
    shell("keys", "revoke", str(made["key"]))

    assert made["secret"]
    assert [item["key"] for item in listed if item["key"] == made["key"]]
    assert "no key" in shell("keys", "revoke", "something", status=1).err


def test_reports_are_files_and_text(served: ServedApi, signed_in: Callable[[Role], Shell]) -> None:
    cohort: LearningCohort = served.run(ReportSamples(served.whole.api).fill())
    shell = signed_in(Role.ADMIN)

    text = shell("report", "cohort", str(cohort.cohort_id)).out
    for ending in ("csv", "json", "svg", "parquet"):
        shell("report", "cohort", str(cohort.cohort_id), "-o", f"cohort.{ending}")

    assert (shell.home / "cohort.csv").read_text() == text
    assert (shell.home / "cohort.svg").read_text().startswith("<svg")
    assert json.loads((shell.home / "cohort.json").read_text())["watermark"]
    assert "ending" in shell("report", "cohort", str(cohort.cohort_id), "-o", "cohort.txt", status=1).err


def test_help_and_completion_need_no_server(shell: Shell) -> None:
    assert "Exit status" in shell("--help").out
    assert "pull" in shell("datasets", "--help").out
    assert shell("--version").out.startswith("dataforge ")
    assert "No such command" in shell("datasets", "fetch", status=2).err
