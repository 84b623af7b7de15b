"""What If-Match may say."""

import pytest
from starlette.requests import Request

from dataforge.http.etag import expected_revision
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
