"""Files that are large, or stand on shaky ground."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dataforge_client import AsyncClient, Client, JobFailed, JobTimeout, Retries, TransferFailed
from tests.builders.served import ServedApi

ROWS = 220_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of more than one part."""
    path = tmp_path_factory.mktemp("files") / "large.csv"
    lines = (f"{n},{n * 7919 % 10_007},{'x' * (n % 40)}\n" for n in range(ROWS))
    path.write_text("n,m,text\n" + "".join(lines))
    return path


class Shaky(httpx.HTTPTransport):
    """Refuses the first answers of the object store that a test names."""

    def __init__(self, *faults: int | type[Exception]) -> None:
        super().__init__()
        self.faults = list(faults)
        self.stored = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "X-Amz-Signature" in str(request.url):
            assert "authorization" not in request.headers
            self.stored += 1
            if self.faults:
                fault = self.faults.pop(0)
                if isinstance(fault, int):
                    return httpx.Response(fault)
                raise fault("broken")
        return super().handle_request(request)


@pytest.fixture
def shaky(served: ServedApi) -> Iterator[tuple[Client, Shaky]]:
    transport = Shaky()
    with Client(served.url, served.token(), retries=Retries(3, 0.01), transport=transport) as client:
        yield client, transport


def test_a_large_file_goes_in_parts_past_faults_and_comes_back_whole(
    shaky: tuple[Client, Shaky], large: Path, tmp_path: Path
) -> None:
    client, transport = shaky
    transport.faults = [500, httpx.ReadError]
    calls: list[tuple[str, int, int | None]] = []
    numbers = client.datasets.create("Numbers")

    made = numbers.upload(large, key=["n"], progress=lambda *call: calls.append(call))
    transport.faults = [503, httpx.ReadError]
    numbers.download(tmp_path / "back.csv")

    assert made.rows_processed == ROWS
    size = large.stat().st_size
    uploads = [done for stage, done, total in calls if stage == "uploading" and total == size]
    assert (uploads[0], uploads[-1]) == (0, size)
    assert uploads == sorted(uploads)
    assert (tmp_path / "back.csv").read_text().splitlines() == large.read_text().splitlines()
    assert [path.name for path in tmp_path.iterdir()] == ["back.csv"]


@pytest.mark.parametrize("fault", [403, 500])
def test_what_the_object_store_refuses_is_raised_and_leaves_no_file(
    shaky: tuple[Client, Shaky], tmp_path: Path, large: Path, fault: int
) -> None:
    client, transport = shaky
    numbers = client.datasets.create("Numbers")
    transport.faults = [fault] * 50

    with pytest.raises(TransferFailed, match=str(fault)):
        numbers.upload(large)
    transport.faults = []
    numbers.upload(large, key="n")
    transport.faults = [fault] * 50
    with pytest.raises(TransferFailed):
        numbers.download(tmp_path / "back.csv")

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_none_of_ours_fails_with_the_reason(client: Client) -> None:
    grades = client.datasets.create("Grades")

    with pytest.raises(Exception, match="column") as refused:
        grades.upload(b"a,b\n1,2\n", name="marks.csv", key=["student"])

    assert not isinstance(refused.value, AssertionError)


def test_waiting_for_a_job_can_end_before_it(client: Client, served: ServedApi, large: Path) -> None:
    grades = client.datasets.create("Grades")

    with pytest.raises(JobTimeout) as late:
        grades.upload(large, timeout=0)

    assert isinstance(late.value, JobFailed)
    assert late.value.job.run_type == "import"


def test_an_open_file_and_bytes_are_files(client: Client, tmp_path: Path) -> None:
    grades = client.datasets.create("Grades")
    path = tmp_path / "marks.csv"
    path.write_bytes(b"a,b\n1,2\n")

    with path.open("rb") as file:
        grades.upload(file)
    assert grades.upload(io.BytesIO(b"a,b\n1,2\n"), name="again.csv").unchanged


async def test_parts_are_sent_beside_one_another_when_awaited(
    awaited: AsyncClient, large: Path, tmp_path: Path
) -> None:
    numbers = await awaited.datasets.create("Numbers")

    made = await numbers.upload(large, key=["n"])

    assert made.rows_processed == ROWS
    assert (await numbers.to_arrow(columns=["n"])).num_rows == ROWS
    broken: Any = object()
    with pytest.raises(AttributeError):
        await numbers.upload(broken)
