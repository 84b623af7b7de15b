"""From the URL of an existing database to the template's parameters."""

import pytest

from dataforge.platform.db.grants import GRANTS
from dataforge.platform.db.roles import Login, logins_of
from infra.packaging.database import FUNCTIONS, database_parameters, login_parameters
from infra.packaging.template import load_template
from tests.builders.api import FakeSecrets


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


def test_each_function_of_a_laptop_has_a_login_of_its_own() -> None:
    found = login_parameters("postgresql://dataforge:pass@127.0.0.1:6432/data?x=1", "my-stack")

    assert set(FUNCTIONS) == set(GRANTS)
    assert set(found) <= set(load_template()["Parameters"])
    assert len(found) == len(set(found.values())) == len(GRANTS)
    logins = logins_of({"xapi-etl": found["XapiEtlDatabaseUrl"]}, secrets=FakeSecrets({}))
    assert logins["xapi-etl"].name == "my-stack-xapi-etl"
    assert found["XapiEtlDatabaseUrl"].endswith(f":{logins['xapi-etl'].password}@127.0.0.1:6432/data?x=1")
    assert len({url.split(":")[2] for url in found.values()}) == len(GRANTS)


def test_a_login_may_lie_in_a_secret() -> None:
    secrets = FakeSecrets({"arn:1": {"username": "me", "password": "word"}})

    assert logins_of({"api": "arn:1"}, secrets)["api"] == Login("me", "word")
