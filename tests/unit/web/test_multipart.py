"""Forms with files arrive byte for byte."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.kernel.errors import BadRequest
from dataforge.web.multipart import FormFile, read_multipart

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="%\\"), min_size=1, max_size=20
)


@given(
    name=NAMES, file_name=NAMES, data=st.binary(max_size=2000), value=st.text(st.characters(exclude_categories=("Cs",)))
)
def test_what_a_client_sends_is_what_is_read(name: str, file_name: str, data: bytes, value: str) -> None:
    files = {name: (file_name, data, "text/csv")}
    request = httpx.Request("POST", "https://e.org", data={"field": value}, files=files)
    body = request.read()

    fields, read = read_multipart(request.headers["Content-Type"], body)

    assert fields == [("field", value)]
    assert read == {name: FormFile(file_name, "text/csv", data)}


def test_a_field_without_a_chosen_file_has_none() -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--b--\r\n'

    assert read_multipart("multipart/form-data; boundary=b", body) == ([], {})


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--b--"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nno name\r\n--b--"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--'),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\ncut off'),
    ],
)
def test_what_is_no_form_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_multipart(content_type, body)
