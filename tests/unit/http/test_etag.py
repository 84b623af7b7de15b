"""What If-Match and If-None-Match may say."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from dataforge.http.etag import expected_revision, not_modified
from dataforge.kernel.errors import BadRequest, PreconditionRequired


def request(*if_match: str) -> Request:
    return Request({"type": "http", "headers": [(b"if-match", value.encode()) for value in if_match]})


@pytest.mark.parametrize(
    ("header", "revision"), [('"7"', "7"), (' "7" ', "7"), ('W/"7"', "7"), ("7", "7"), ("*", "*"), (" * ", "*")]
)
def test_one_tag_or_a_star_is_a_revision(header: str, revision: str) -> None:
    assert expected_revision(request(header)) == revision


@pytest.mark.parametrize("header", ['"6", "7"', '"7","7"', '*, "7"', "6,7"])
def test_a_list_is_refused_instead_of_taken_for_a_stale_revision(header: str) -> None:
    with pytest.raises(BadRequest, match="one ETag"):
        expected_revision(request(header))


def test_without_the_header_it_is_asked_for() -> None:
    with pytest.raises(PreconditionRequired):
        expected_revision(request())


def asked(if_none_match: str, method: str = "GET") -> Request:
    return Request({"type": "http", "method": method, "headers": [(b"if-none-match", if_none_match.encode())]})


def answer(tag: str | None = '"7"', status: int = 200) -> Response:
    headers = {"Cache-Control": "private, no-cache", "Vary": "Accept"} | ({"ETag": tag} if tag else {})
    return Response(b"{}", status, headers, "application/json")


@pytest.mark.parametrize("header", ['"7"', 'W/"7"', '"6", "7"', '"6",W/"7"', "*"])
@pytest.mark.parametrize("tag", ['"7"', 'W/"7"'])
def test_what_the_client_has_is_not_sent_again(header: str, tag: str) -> None:
    response = not_modified(asked(header), answer(tag))

    assert (response.status_code, response.body) == (304, b"")
    kept = {"cache-control": "private, no-cache", "vary": "Accept", "etag": tag}
    assert {name: value for name, value in response.headers.items() if name != "content-length"} == kept


@pytest.mark.parametrize("header", ['"8"', '"77"', "7", '""', '"6", "8"'])
def test_what_it_has_not_is_sent(header: str) -> None:
    assert not_modified(asked(header), answer()).status_code == 200


def test_other_answers_stay_as_they_are() -> None:
    assert not_modified(asked("*", "PATCH"), answer()).status_code == 200
    assert not_modified(asked("*"), answer(status=201)).status_code == 201
    assert not_modified(asked("*"), answer(tag=None)).status_code == 200
    assert not_modified(Request({"type": "http", "method": "GET", "headers": []}), answer()).status_code == 200
