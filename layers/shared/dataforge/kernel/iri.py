"""One form for the addresses of the same thing: what lessons and statements about them are compared by."""

import re
from functools import lru_cache

_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?://([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
# What may stand as it is: ASCII without control characters, and `%` as the beginning of an escape.
_TO_ESCAPE = re.compile(r"[^\x21-\x7e]|[\"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}
_KEPT = 8192


@lru_cache(maxsize=_KEPT)
def normal_iri(address: str) -> str:
    """The normal form of an IRI (RFC 3986 §6.2.2, §6.2.3; RFC 3987 §3.1); other text stays as it is.

    Lower case of scheme and host, upper case of escapes, no escape of what needs none, IRIs as their UTF-8 escapes, no
    dot segments, no default port, and no slash at the end of a path that is not the root. Of an IRI without `//`
    (`urn:`, `tag:`) the path is left alone but for its escapes. Applied again it changes nothing.
    """
    found = _PARTS.fullmatch(address.strip())
    if found is None:
        return address
    scheme, authority, path, query, fragment = found.groups()
    scheme = scheme.lower()
    tail = _escapes(query or "") + _escapes(fragment or "")
    if authority is None:
        return f"{scheme}:{_escapes(path)}{tail}"
    path = _without_dots(_escapes(path)).rstrip("/") or ("/" if scheme in _PORTS else "")
    return f"{scheme}://{_authority(authority, scheme)}{path}{tail}"


def _escapes(text: str) -> str:
    raw = _TO_ESCAPE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace")), text)
    return _ESCAPED.sub(_escape, raw)


def _escape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else f"%{match[1].upper()}"


def _authority(authority: str, scheme: str) -> str:
    user, at, host = authority.rpartition("@")
    name, colon, port = host.rpartition(":")
    # What has more colons outside of brackets has no port: it is no authority, and stays as it is.
    if colon and not port.strip("0123456789") and (":" not in name or name.endswith("]")):
        port = port.lstrip("0") or port[:1]
        host = name if port in ("", _PORTS.get(scheme)) else f"{name}:{port}"
    return f"{_escapes(user)}{at}{_escapes(_lower_host(host))}"


def _lower_host(host: str) -> str:
    # A host of another script has its ASCII form, as browsers send it (UTS 46 is left to them: IDNA 2003 here).
    if not host.isascii():
        try:
            return host.encode("idna").decode("ascii").lower()
        except UnicodeError:
            return host.lower()
    return host.lower()


def _without_dots(path: str) -> str:
    """RFC 3986 §5.2.4, for paths that begin with a slash or are empty."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "".join(f"/{segment}" for segment in kept) or "/"
