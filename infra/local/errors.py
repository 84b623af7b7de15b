"""The one error a person sees when the local stack cannot go on."""

from __future__ import annotations


class LocalStackError(Exception):
    """A cause and a way out, printed as one line and never as a traceback."""

    def __init__(self, cause: str, way_out: str) -> None:
        super().__init__(f"{cause} {way_out}")
        self.cause = cause
        self.way_out = way_out
