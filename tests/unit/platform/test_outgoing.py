"""Where we send to, and where never."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.platform import outgoing
from dataforge.platform.outgoing import AddressForbidden, check_url


@pytest.mark.parametrize(
    "url", ["https://example.org/hook?a=1", "https://example.org:8443/", "https://93.184.215.14/x"]
)
def test_public_hosts_are_sent_to(url: str) -> None:
    assert check_url(url).geturl() == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https:///x",
        "https://user:secret@example.org/",
        "https://example.org/#x",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://exämple.org/",
        "https://example.org/\n",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0251.0376.0251.0376/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::127.0.0.1]/",
        "https://[::ffff:0:127.0.0.1]/",
        "https://[fec0::1]/",
        "https://192.88.99.1/",
        "https://[fd00::1]/",
        "https://[fe80::1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[::]/",
        "https://" + "a" * 2100,
        "",
    ],
)
def test_nothing_else_is(url: str) -> None:
    with pytest.raises(AddressForbidden):
        check_url(url)


@given(url=st.text(max_size=60) | st.from_regex(r"https://[0-9a-f:.\[\]@/%]{0,30}"))
def test_any_text_is_an_address_or_refused(url: str) -> None:
    try:
        parts = check_url(url)
    except AddressForbidden:
        return
    assert parts.hostname


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "https://[::1]/"])
def test_a_laptop_may_send_to_itself_and_to_nothing_private_besides(url: str) -> None:
    assert check_url(url, private=True).geturl() == url
    with pytest.raises(AddressForbidden):
        check_url("https://10.0.0.1/", private=True)


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::ffff:10.0.0.1"]])
async def test_a_name_that_leads_inside_is_not_connected_to(found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # What a resolver may answer is the point here; nothing is connected to.
    entries = [(0, 0, 0, "", (address, 443)) for address in found]
    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *_, **__: entries)

    with pytest.raises(AddressForbidden, match="no public address"):
        await outgoing.send("POST", "https://rebinding.example/", headers={}, body=b"")
