"""What signing keys are for, and how long they count."""

from dataforge.kernel.errors import Unavailable


class NoSigningKey(Unavailable):
    """No active signing key exists yet."""

    code = "no_signing_key"
    title = "Sign-in is not set up"


ALGORITHM = "ES256"
LEEWAY_SECONDS = 30
KEYS_SECONDS = 300  # how long public keys are kept before they are read again
