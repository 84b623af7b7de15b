"""Where the data of attachments is that was uploaded ahead of their statements."""

from dataforge.contexts.lrs.attachments.domain import owner_of, with_file_urls, without_data
from dataforge.contexts.lrs.statements.domain import StatementsBody
from dataforge.contexts.lrs.xapi_protocol import XapiCall
from dataforge.http.addresses import absolute_address

PATH = "/xapi/attachments"


async def located(call: XapiCall, body: StatementsBody) -> StatementsBody:
    """The statements with the fileUrl of what this credential has uploaded ahead of them."""
    missing = without_data(body)
    if not missing:
        return body
    owner = owner_of(call.credential.authority)
    uploaded = await call.services.attachments.uploaded(owner, missing)
    return with_file_urls(body, {sha2: file_url(call, owner, sha2) for sha2 in uploaded})


def file_url(call: XapiCall, owner: str, sha2: str) -> str:
    """Where whoever may read the statement reads the data."""
    return absolute_address(call.request.scope, PATH, owner=owner, sha2=sha2)
