"""Which of the representations we have a client wants (RFC 9110 §12.5.1)."""

from collections.abc import Sequence


def preferred_media_type(accept: str, offered: Sequence[str]) -> str:
    """The media type of `offered` that an Accept header weighs highest; the first when none fits or all are equal."""
    weights = _weights(accept)

    def weight(media_type: str) -> float:
        kind = media_type.partition("/")[0]
        return next((weights[name] for name in (media_type, f"{kind}/*", "*/*") if name in weights), 0.0)

    return max(offered, key=weight)


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
