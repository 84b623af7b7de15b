"""Which representation an Accept header asks for."""

import pytest
from starlette.datastructures import MutableHeaders

from dataforge.http.negotiation import accepted_media_type, accepts_gzip, preferred_media_type, varies_by

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "text/html"),
        ("TEXT/HTML ; Q=1", "text/html"),
        (BROWSER, "text/html"),
        ("text/*", "text/html"),
        ("application/json, text/html;q=0.5", "application/json"),
        ("application/json;q=0.5, text/html", "text/html"),
        ("text/html;q=0, */*", "application/json"),
        ("image/png", "application/json"),
        ("text/html;q=high", "application/json"),
        (",;,", "application/json"),
    ],
)
def test_the_heaviest_representation_wins_and_json_is_the_first(accept: str, expected: str) -> None:
    assert preferred_media_type(accept, ("application/json", "text/html")) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("text/csv", "text/csv"),
        ("*/*", "application/json"),
        ("text/html, application/xhtml+xml", None),
        ("text/html, */*;q=0.1", "application/json"),
        ("text/csv;q=0", None),
        ("text/*", "text/csv"),
        ("application/json;q=0.5, text/csv", "text/csv"),
        ("text/csv;q=broken", None),
    ],
)
def test_what_a_client_does_not_take_is_not_chosen(accept: str, expected: str | None) -> None:
    assert accepted_media_type(accept, ("application/json", "text/csv")) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [("", False), ("gzip, deflate, br", True), ("br", False), ("gzip;q=0", False), ("*", True), ("*, gzip;q=0", False)],
)
def test_gzip_is_for_those_who_say_so(header: str, expected: bool) -> None:
    assert accepts_gzip(header) is expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "Accept"),
        ("Accept", "Accept"),
        ("Origin, accept", "Origin, accept"),
        ("Accept-Language", "Accept-Language, Accept"),
        ("*", "*"),
    ],
)
def test_what_an_answer_depends_on_is_said_once(before: str | None, after: str) -> None:
    headers = MutableHeaders({} if before is None else {"Vary": before})

    varies_by(headers, "Accept")
    varies_by(headers, "Accept")

    assert headers["Vary"] == after
