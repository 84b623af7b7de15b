"""Names of the copies on which plans are tried: they tell when a copy was made, so that one left behind is known."""

import secrets
import time

PREFIX = "trial_"
_STALE_SECONDS = 900  # no function lives longer


def copy_name() -> str:
    """A name for a copy that is made now."""
    return f"{PREFIX}{int(time.time()):x}_{secrets.token_hex(8)}"


def is_stale(name: str) -> bool:
    """Whether a schema of this name is a copy that nobody works with any more."""
    try:
        return name.startswith(PREFIX) and time.time() - int(name.split("_")[1], 16) > _STALE_SECONDS
    except (IndexError, ValueError):
        return False
