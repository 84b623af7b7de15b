"""One form for the addresses of the same thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.kernel.iri import normal_iri


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("HTTPS://Lms.Example.ORG/Course/7", "https://lms.example.org/Course/7"),
        ("https://lms.example.org:443/course", "https://lms.example.org/course"),
        ("http://lms.example.org:080/course", "http://lms.example.org/course"),
        ("https://lms.example.org:8443/course", "https://lms.example.org:8443/course"),
        ("https://lms.example.org", "https://lms.example.org/"),
        ("https://lms.example.org/course/", "https://lms.example.org/course"),
        ("https://lms.example.org/course/?id=3/", "https://lms.example.org/course?id=3/"),
        ("https://lms.example.org/a/./b/../c", "https://lms.example.org/a/c"),
        ("https://lms.example.org/%7euser/%c3%a9", "https://lms.example.org/~user/%C3%A9"),
        ("https://lms.example.org/a%2fb", "https://lms.example.org/a%2Fb"),
        ("https://lms.example.org/é ü", "https://lms.example.org/%C3%A9%20%C3%BC"),
        ("https://lms.example.org/100%", "https://lms.example.org/100%25"),
        ("https://münchen.example/kurs", "https://xn--mnchen-3ya.example/kurs"),
        ("https://[::1]:443/course", "https://[::1]/course"),
        ("URN:Articulate:5Yk2/", "urn:Articulate:5Yk2/"),
        ("tag:lms.example.org,2026:/a/../b", "tag:lms.example.org,2026:/a/../b"),
        ("not an address", "not an address"),
        ("", ""),
    ],
)
def test_what_means_the_same_is_written_in_one_way(written: str, normal: str) -> None:
    assert normal_iri(written) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://lms.example.org/a?x=1", "https://lms.example.org/a?x=2"),
        ("https://lms.example.org/a#one", "https://lms.example.org/a#two"),
        ("https://lms.example.org/a%2Fb", "https://lms.example.org/a/b"),
        ("https://lms.example.org/A", "https://lms.example.org/a"),
        ("http://lms.example.org/a", "https://lms.example.org/a"),
    ],
)
def test_what_may_mean_something_else_stays_apart(one: str, other: str) -> None:
    assert normal_iri(one) != normal_iri(other)


PIECES = st.lists(
    st.sampled_from(
        ["a", "B", "é", "/", "//", ".", "..", "/../", "%", "%2e", "%7E", "%2f", "%zz", ":", "@", "[", "]", "?"]
    )
    | st.sampled_from(["#", " ", ":80", ":443", ":", "\u00df", "\ud800", "\x00", "~", "<", "|", "xn--", "ǅ"])
    | st.characters(),
    max_size=12,
).map("".join)


@pytest.mark.parametrize("address", ["http://:80:80", "http://h:80:80/a", "https://[::1]:443:443/"])
def test_what_is_no_authority_loses_nothing(address: str) -> None:
    assert normal_iri(normal_iri(address)) == normal_iri(address)
    assert address.rpartition("//")[2].partition("/")[0] in normal_iri(address)


@given(head=st.sampled_from(["", "http://", "HTTPS://h", "https://h/", "urn:", "ftp://x:21", "a-b+c://"]), rest=PIECES)
def test_the_normal_form_of_a_normal_form_is_itself(head: str, rest: str) -> None:
    normal = normal_iri(head + rest)

    assert normal_iri(normal) == normal
