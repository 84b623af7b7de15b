"""Who is counted, and for what, when tries are limited (see platform.db.throttle)."""

import hashlib
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

_IPV6_PREFIX = 64  # what one customer is given at least (RFC 6177 §2): any address inside is the same caller


@dataclass(frozen=True, slots=True)
class Budget:
    """`limit` tries a minute of `action` for one subject, an address for instance; only a hash of both is stored."""

    action: str
    subject: tuple[str, ...]
    limit: int

    @property
    def key(self) -> str:
        """The row this budget is counted in."""
        return hashlib.sha256("\x1f".join((self.action, *self.subject)).encode()).hexdigest()


def caller_of(address: str | None) -> str:
    """The caller an IP address stands for: IPv4 as it is, IPv6 by its /64; all that is no address is one caller."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        network = int(parsed) >> (128 - _IPV6_PREFIX) << (128 - _IPV6_PREFIX)
        return f"{IPv6Address(network)}/{_IPV6_PREFIX}"
    return str(parsed)
