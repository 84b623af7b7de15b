"""The laptop's PostgreSQL starts again whatever was killed, with the same data and address."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from infra.local import postgres, processes


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Where a cluster may be."""
    yield tmp_path
    postgres.end_left_over(tmp_path)


def test_a_server_whose_launcher_was_killed_is_taken_with_its_port(directory: Path) -> None:
    first = postgres.start(directory, durable=False)
    settings = json.loads((directory / "server.json").read_text())
    del settings["port"]  # killed between the start and the note of the port
    (directory / "server.json").write_text(json.dumps(settings))

    again = postgres.start(directory, durable=False)

    assert again == first
    with psycopg.connect(again.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_half_made_cluster_is_made_anew(directory: Path) -> None:
    (directory / "building" / "base").mkdir(parents=True)
    (directory / "password.partial").write_text("left over")

    server = postgres.start(directory, durable=False)

    assert server.pid is not None
    assert not (directory / "password.partial").exists()
    assert not (directory / "building").exists()


def test_a_killed_server_whose_children_live_on_starts_again_with_what_was_committed(directory: Path) -> None:
    server = postgres.start(directory)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    assert server.pid is not None
    postmaster = psutil.Process(server.pid)
    children = postmaster.children()
    for child in children:
        with suppress(psutil.NoSuchProcess):  # the backend of the connection that was closed just now
            child.suspend()  # one in the middle of something does not notice that its server is gone
    processes.kill([postmaster])

    postgres.end_left_over(directory)
    again = postgres.start(directory)

    with psycopg.connect(again.url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
    assert again.url == server.url
