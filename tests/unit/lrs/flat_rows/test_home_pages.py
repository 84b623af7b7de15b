"""What an account's name may be looked up as."""

import pytest

from dataforge.contexts.lrs.flat_rows.domain import HomePages

TRUSTED = HomePages(["https://lms.example.org/moodle/", "urn:hr"])


@pytest.mark.parametrize(
    ("home_page", "name", "keys"),
    [
        ("https://lms.example.org/moodle", "Ana@Example.org", ("ana@example.org", "Ana@Example.org")),
        ("HTTPS://LMS.example.org/moodle/", "blue-otter", (None, "blue-otter")),
        ("https://lms.example.org/moodle", "17", (None, "17")),
        ("urn:hr", "ana@example.org", ("ana@example.org", "ana@example.org")),
        # Of a system nobody vouched for, only a pseudonym that cannot be its own name for somebody.
        ("https://lms.example.org/Moodle", "ana@example.org", (None, None)),
        ("https://lms.example.org", "ana@example.org", (None, None)),
        ("https://evil.example/moodle", "ana@example.org", (None, None)),
        ("https://lms.example.org.evil.example/moodle", "ana@example.org", (None, None)),
        ("https://other.example", "17", (None, None)),
        ("https://other.example", "2026-17", (None, None)),
        ("https://other.example", "blue-otter", (None, "blue-otter")),
        ("https://other.example", " \u0142uk ", (None, "\u0142uk")),
    ],
)
def test_an_account_name_means_something_within_its_home_page(
    home_page: str, name: str, keys: tuple[str | None, str | None]
) -> None:
    assert TRUSTED.keys({"homePage": home_page, "name": name}) == keys


@pytest.mark.parametrize("account", [None, {}, {"name": 17}, "ana@example.org"])
def test_what_is_no_account_has_no_key(account: object) -> None:
    assert TRUSTED.keys(account) == (None, None)
