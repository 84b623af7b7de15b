"""A Person: everything that one is known by (Communication 2.4)."""

from collections.abc import Mapping

_PROPERTIES = ("name", "mbox", "mbox_sha1sum", "openid", "account")


def person_of(agent: Mapping[str, object]) -> dict[str, object]:
    """The Person of a valid Agent: every property is an array."""
    return {"objectType": "Person", **{name: [agent[name]] for name in _PROPERTIES if name in agent}}
