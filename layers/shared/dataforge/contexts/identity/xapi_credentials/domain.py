"""Rules of xAPI credentials."""

from dataforge.kernel.errors import ValidationFailed, Violation


class InvalidPublicKey(ValidationFailed):
    """The PEM is not an RSA public key of at least 2048 bits."""

    code = "invalid_public_key"
    title = "The public key cannot be used"


def fingerprint(secret_hash: str) -> str:
    """How a credential is told apart in lists without showing anything that could be used."""
    return "SHA256:" + secret_hash[:16]


DEFAULT_SCOPES = ("statements/write", "statements/read/mine", "state", "define", "profile")


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
