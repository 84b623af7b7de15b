"""A client that costs next to nothing: keep-alive connections on plain sockets, one thread each.

On a machine with two cores the load takes its time from the server: what a request costs here is what is missing there.
"""

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import orjson

_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Endpoint:
    """The xAPI endpoint of a store (`http://…/xapi`), a credential for it, and the processes it runs in by role."""

    url: str
    key: str
    secret: str
    processes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """Status, body and seconds until it was there."""

    status: int
    body: bytes
    seconds: float


class Connection:
    """One connection of one thread."""

    def __init__(self, endpoint: Endpoint) -> None:
        where = urlsplit(endpoint.url)
        self._address = (where.hostname or "", where.port or 80)
        self._path = where.path.rstrip("/")
        token = base64.b64encode(f"{endpoint.key}:{endpoint.secret}".encode()).decode()
        self._head = (
            f"Host: {where.netloc}\r\nAuthorization: Basic {token}\r\nX-Experience-API-Version: 1.0.3\r\n"
            "Content-Type: application/json\r\n"
        )
        self._socket: socket.socket | None = None
        self._left = b""

    def post(self, body: bytes) -> Answer:
        """POST statements."""
        head = f"POST {self._path}/statements HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        return self._ask(head.encode() + body)

    def get(self, **parameters: str) -> Answer:
        """GET statements."""
        path = f"{self._path}/statements?{urlencode(parameters)}"
        return self._ask(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())

    def _ask(self, request: bytes) -> Answer:
        started = time.perf_counter()
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=_TIMEOUT_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        head = self._until(b"\r\n\r\n")
        status = int(head[9:12])
        names = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        if names.get(b"transfer-encoding") == b"chunked":
            body = b"".join(self._chunks())
        else:
            body = self._exactly(int(names.get(b"content-length", b"0")))
        if names.get(b"connection") == b"close":
            self.close()
        return Answer(status, body, time.perf_counter() - started)

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._until(b"\r\n").partition(b";")[0], 16):
            yield self._exactly(size)
            self._exactly(2)
        self._until(b"\r\n")

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._left:
            self._receive()
        found, _, self._left = self._left.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._left) < size:
            self._receive()
        found, self._left = self._left[:size], self._left[size:]
        return found

    def _receive(self) -> None:
        more = self._socket.recv(262_144) if self._socket is not None else b""
        if not more:
            message = "the server closed the connection"
            raise ConnectionError(message)
        self._left += more

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._left = None, b""


@dataclass
class Written:
    """What came of a load: answers by status, seconds, and the last body that each connection had accepted."""

    requests: int = 0
    seconds: float = 0.0
    refused: dict[int, int] = field(default_factory=dict)
    last: list[bytes] = field(default_factory=list)


def write(endpoint: Endpoint, bodies: Iterable[bytes], *, connections: int, seconds: float) -> Written:
    """POST the bodies over some connections until they or the time are over."""
    waiting, lock, found = iter(bodies), threading.Lock(), Written()
    started = time.perf_counter()

    def one() -> None:
        connection, last = Connection(endpoint), b""
        while time.perf_counter() - started < seconds:
            with lock:
                body = next(waiting, None)
            if body is None:
                break
            answer = connection.post(body)
            with lock:
                if answer.status == 200:
                    found.requests += 1
                    last = body
                else:
                    found.refused[answer.status] = found.refused.get(answer.status, 0) + 1
        connection.close()
        with lock:
            found.last += [last] if last else []

    _in_threads(one, connections)
    found.seconds = time.perf_counter() - started
    return found


def _in_threads(work: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def wait_until_listed(endpoint: Endpoint, bodies: Iterable[bytes], *, within: float = 300) -> float:
    """Seconds until the last statement of each body is found by its registration in a list."""
    connection, started = Connection(endpoint), time.perf_counter()
    for body in bodies:
        sent = orjson.loads(body)
        wanted = (sent[-1] if isinstance(sent, list) else sent)["context"]["registration"]
        while not orjson.loads(connection.get(registration=wanted, limit="1").body)["statements"]:
            if time.perf_counter() - started > within:
                message = "statements that were accepted are not listed"
                raise TimeoutError(message)
            time.sleep(0.02)
    connection.close()
    return time.perf_counter() - started


def read(endpoint: Endpoint, parameters: Mapping[str, str], *, requests: int) -> tuple[float, float, int]:
    """Milliseconds at the median and at the 95th percentile on one connection, and statements in the last answer."""
    connection, times, count = Connection(endpoint), [], 0
    for _ in range(requests + 5):
        answer = connection.get(**parameters)
        if answer.status != 200:
            message = f"{answer.status}: {answer.body[:300]!r}"
            raise RuntimeError(message)
        times.append(answer.seconds * 1000)
        count = len(orjson.loads(answer.body)["statements"])
    connection.close()
    kept = sorted(times[5:])
    return kept[len(kept) // 2], kept[int(len(kept) * 0.95)], count
