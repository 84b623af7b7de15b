"""Rules of xAPI credentials."""

from collections.abc import Collection

from dataforge.kernel.errors import Conflict, Forbidden, ValidationFailed, Violation
from dataforge.kernel.rules import XAPI_SCOPES, scope_covers
from dataforge.kernel.texts import Text


class InvalidPublicKey(ValidationFailed):
    """The PEM is not an RSA public key of at least 2048 bits."""

    code = "invalid_public_key"
    title = "The public key cannot be used"


class ScopeTooWide(Forbidden):
    """Who keeps a workspace takes scopes from its credentials, and gives none."""

    code = "scope_too_wide"
    title = "Scopes can only be taken away"


class CredentialRevoked(Conflict):
    """The credential has ended; make another one."""

    code = "credential_revoked"
    title = "The credential was revoked"


def fingerprint(secret_hash: str) -> str:
    """How a credential is told apart in lists without showing anything that could be used."""
    return "SHA256:" + secret_hash[:16]


DEFAULT_SCOPES = ("statements/write", "statements/read/mine", "state", "define", "profile")


BEYOND_A_WORKSPACE = frozenset({"all", "all/read", "statements/read"})
"""Scopes that read what others have stored; a credential of a workspace has none of them."""


def check_scopes(scopes: Collection[str], *, in_workspace: bool = False) -> None:
    """Raise ValidationFailed unless there are scopes, and all of them are known and stay within the workspace."""
    known = XAPI_SCOPES - BEYOND_A_WORKSPACE if in_workspace else XAPI_SCOPES
    if not scopes or set(scopes) - known:
        allowed = ", ".join(sorted(known))
        message = Text("Scopes must be one or more of: {allowed}.", allowed=allowed)
        raise ValidationFailed(message, violations=[Violation("/scopes", message, "scope")])


def check_narrower(before: Collection[str], after: Collection[str]) -> None:
    """Raise ScopeTooWide where scopes allow more than those before did."""
    wider = sorted(scope for scope in after if not any(scope_covers(held, scope) for held in before))
    if wider:
        message = Text(
            "Only an administrator of the organisation gives a credential more scopes: {wider}.", wider=", ".join(wider)
        )
        raise ScopeTooWide(message)


def check_public_key(pem: str) -> None:
    """Raise InvalidPublicKey unless the PEM is an RSA public key that is long enough."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        message = Text("public_pem must be a PEM block `BEGIN PUBLIC KEY` with an RSA key.")
        raise InvalidPublicKey(message, violations=[Violation("/public_pem", message, "public_key")]) from error
    if not isinstance(key, RSAPublicKey) or key.key_size < 2048:
        message = Text("public_pem must hold an RSA key of at least 2048 bits.")
        raise InvalidPublicKey(message, violations=[Violation("/public_pem", message, "public_key")])
