"""The two lines of the standard this store speaks, chosen by the X-Experience-API-Version header."""

import re
from enum import StrEnum

_HEADER_1_0 = re.compile(r"1\.0(?:\.[0-9]+)?\Z")
_HEADER_2_0 = re.compile(r"2\.0(?:\.[0-9]+)?\Z")


class XapiVersion(StrEnum):
    """A line of the standard; the value is what responses carry as their version header."""

    V1_0 = "1.0.3"
    V2_0 = "2.0.0"

    @property
    def default_statement_version(self) -> str:
        """What `version` of a statement becomes when the sender left it out (Data 2.4.10)."""
        return "1.0.0" if self is XapiVersion.V1_0 else "2.0.0"


def negotiate_version(header: str) -> XapiVersion | None:
    """The line a header asks for: `1.0`, `1.0.x`, `2.0` or `2.0.x` (Communication 3.3); None for anything else."""
    if _HEADER_1_0.match(header):
        return XapiVersion.V1_0
    if _HEADER_2_0.match(header):
        return XapiVersion.V2_0
    return None


def is_statement_version(value: str, version: XapiVersion) -> bool:
    """Whether a statement's own `version` may be sent under the negotiated line; 2.0 also carries 1.0.x statements."""
    return bool(_HEADER_1_0.match(value)) or (version is XapiVersion.V2_0 and bool(_HEADER_2_0.match(value)))
