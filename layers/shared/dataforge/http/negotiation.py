"""Which of the representations we have a client wants (RFC 9110 §12.5)."""

from collections.abc import Mapping, Sequence

from starlette.datastructures import MutableHeaders

PRESENTATION = "dataforge.presentation"  # where a request's scope has the parameters that only choose a representation


def preferred_media_type(accept: str, offered: Sequence[str]) -> str:
    """The media type of `offered` that an Accept header weighs highest; the first when none fits or all are equal."""
    weights = _weights(accept)
    return max(offered, key=lambda media_type: _weight(weights, media_type))


def accepted_media_type(accept: str, offered: Sequence[str]) -> str | None:
    """`preferred_media_type`, but None when none fits; without an Accept header everything does."""
    if not accept.strip():
        return offered[0]
    best = preferred_media_type(accept, offered)
    return best if _weight(_weights(accept), best) > 0 else None


def varies_by(headers: MutableHeaders, name: str) -> None:
    """Say in an answer that another request may get another one because of this header; said once, it is not again."""
    named = {item.strip().lower() for item in headers.get("vary", "").split(",")}
    if not named & {name.lower(), "*"}:
        headers.add_vary_header(name)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header says that gzip may be used; without one nobody does."""
    weights = _weights(accept_encoding)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weight(weights: Mapping[str, float], media_type: str) -> float:
    kind = media_type.partition("/")[0]
    return next((weights[name] for name in (media_type, f"{kind}/*", "*/*") if name in weights), 0.0)


def _weights(accept: str) -> dict[str, float]:
    weights = {}
    for part in accept.lower().split(","):
        media_type, *parameters = [item.strip() for item in part.split(";")]
        quality = next((item[2:] for item in parameters if item.startswith("q=")), "1")
        try:
            weights[media_type] = float(quality)
        except ValueError:
            weights[media_type] = 0.0
    return weights
