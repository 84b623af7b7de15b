"""Rules of xAPI credentials."""

from collections.abc import Collection

from dataforge.kernel.errors import Conflict, ValidationFailed, Violation
from dataforge.kernel.rules import XAPI_SCOPES


class InvalidPublicKey(ValidationFailed):
    """The PEM is not an RSA public key of at least 2048 bits."""

    code = "invalid_public_key"
    title = "The public key cannot be used"


class CredentialRevoked(Conflict):
    """The credential has ended; make another one."""

    code = "credential_revoked"
    title = "The credential was revoked"


def fingerprint(secret_hash: str) -> str:
    """How a credential is told apart in lists without showing anything that could be used."""
    return "SHA256:" + secret_hash[:16]


DEFAULT_SCOPES = ("statements/write", "statements/read/mine", "state", "define", "profile")


def check_scopes(scopes: Collection[str]) -> None:
    """Raise ValidationFailed unless there are scopes, and all of them are known."""
    if not scopes or set(scopes) - XAPI_SCOPES:
        allowed = ", ".join(sorted(XAPI_SCOPES))
        message = f"Scopes must be one or more of: {allowed}."
        raise ValidationFailed(message, violations=[Violation("/scopes", message, "scope")])


def check_public_key(pem: str) -> None:
    """Raise InvalidPublicKey unless the PEM is an RSA public key that is long enough."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        message = "public_pem must be a PEM block `BEGIN PUBLIC KEY` with an RSA key."
        raise InvalidPublicKey(message, violations=[Violation("/public_pem", message, "public_key")]) from error
    if not isinstance(key, RSAPublicKey) or key.key_size < 2048:
        message = "public_pem must hold an RSA key of at least 2048 bits."
        raise InvalidPublicKey(message, violations=[Violation("/public_pem", message, "public_key")])
