"""Wire models of mailed links."""

from typing import Annotated

from pydantic import Field

from dataforge.http.wire import RequestModel

LinkToken = Annotated[str, Field(min_length=1, max_length=200, repr=False)]


class LinkIn(RequestModel):
    """The token of a mailed link."""

    token: LinkToken
