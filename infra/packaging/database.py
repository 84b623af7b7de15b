"""An existing database as parameters of the template: the owner's URL for migrations, the address for the others."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import parse_qs, quote, unquote, urlsplit

# Those with a login of their own, and the one that plans of schemas are proved with. Not taken from the package, which
# the container of docker-compose.yml does not have.
FUNCTIONS = (
    *("api", "datasets-api", "datasets-sql", "xapi", "xapi-etl"),
    *("dataset-import", "dataset-export", "worker", "reminders", "notifier", "maintenance", "schema-proof"),
)
_SSL_MODE_OF_LIBPQ = "prefer"


def database_parameters(url: str) -> dict[str, str]:
    """`DatabaseUrl` and its host, port, name and TLS mode; raises ValueError for what is no URL of a database."""
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname or not name:
        message = "The URL of a database looks like postgresql://user:password@host:5432/name."
        raise ValueError(message)
    mode = parse_qs(parts.query).get("sslmode", [_SSL_MODE_OF_LIBPQ])[-1]
    return {
        "DatabaseUrl": url,
        "DatabaseHost": parts.hostname,
        "DatabasePort": str(parts.port or 5432),
        "DatabaseName": name,
        "DatabaseSslMode": mode,
    }


def login_parameters(url: str, stack: str) -> dict[str, str]:
    """The URL of each function's own login, for a laptop: `ApiDatabaseUrl` and so on.

    Passwords are made from the owner's, so that there is nothing to keep; none can be made from another.
    """
    parts = urlsplit(url)
    secret = unquote(parts.password or "").encode()
    found = {}
    for function in FUNCTIONS:
        login = f"{stack}-{function}"
        password = hmac.new(secret, login.encode(), hashlib.sha256).hexdigest()
        address = parts.netloc.rpartition("@")[2]
        named = "".join(word.capitalize() for word in function.split("-"))
        found[f"{named}DatabaseUrl"] = parts._replace(netloc=f"{quote(login)}:{password}@{address}").geturl()
    return found
