"""An existing database as parameters of the template: the owner's URL for migrations, the address for the others."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

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
