"""From the URL of an existing database to the template's parameters."""

import pytest

from infra.packaging.database import database_parameters


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("postgresql://me:pass@db.example:6432/data", ("db.example", "6432", "data", "prefer")),
        ("postgres://me:p%40ss@127.0.0.1/my%20data", ("127.0.0.1", "5432", "my data", "prefer")),
        ("postgresql://me@[::1]:5433/data?sslmode=verify-full&x=1", ("::1", "5433", "data", "verify-full")),
    ],
)
def test_the_address_of_a_database_is_read_from_its_url(url: str, address: tuple[str, ...]) -> None:
    found = database_parameters(url)

    names = ("DatabaseHost", "DatabasePort", "DatabaseName", "DatabaseSslMode")
    assert tuple(found[name] for name in names) == address
    assert found["DatabaseUrl"] == url


@pytest.mark.parametrize("url", ["", "mysql://me@host/data", "postgresql://host", "postgresql:///data", "db.example"])
def test_what_is_no_url_of_a_database_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="looks like postgresql://"):
        database_parameters(url)
