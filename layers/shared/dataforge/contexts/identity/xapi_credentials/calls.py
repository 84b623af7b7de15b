"""What routes and pages of xAPI credentials have in common."""

from dataforge.contexts.identity.services import IdentityServices
from dataforge.http.call import Call
from dataforge.platform.observability import logger


async def publish(call: Call, key_id: str) -> None:
    """Publish a changed credential to where it is checked.

    At once where possible; if this fails the outbox event written with the change does it again within a minute.
    """
    try:
        await call.services(IdentityServices).credential_publisher.publish(key_id)
    except Exception:  # noqa: BLE001 - see above: the change itself is durable
        logger.warning("credential not published yet, the outbox will do it", exc_info=True, key_id=key_id)
