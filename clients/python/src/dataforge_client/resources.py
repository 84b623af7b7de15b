"""Plain lists of things: courses, sections, cohorts, webhooks and so on, as JSON objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dataforge_client.flows import Bound, Driver, Flow, M, Page, Pages, listing, operation
from dataforge_client.frames import need
from dataforge_client.session import Session, segment

if TYPE_CHECKING:
    import pandas as pd

Items = list[dict[str, Any]]  # named here, as the class has a method of that name


class Collection(Bound[M]):
    """What is below one address of the API, such as `/api/courses`."""

    def __init__(self, driver: Driver, session: Session, path: str) -> None:
        self._driver, self._session = driver, session
        self.path = path

    def __repr__(self) -> str:
        return f"<Collection {self.path}>"

    def _one(self, item_id: str) -> str:
        return f"{self.path}/{segment(item_id)}"

    @listing
    def list(self, /, **filters: Any) -> Pages[dict[str, Any]]:  # noqa: ANN401 - of the route
        """All items; filters are the parameters of the route."""
        return self._session.pages(self.path, filters, dict)

    @operation
    def to_pandas(self, /, **filters: Any) -> Flow[pd.DataFrame]:  # noqa: ANN401 - of the route
        """All items as a DataFrame; members of members have names with dots."""
        pandas = need("pandas", "pandas")
        items: Items = []
        following: Pages[dict[str, Any]] | None = self._session.pages(self.path, filters, dict)
        while following is not None:
            page: Page[dict[str, Any]] = yield from following()
            items += page.items
            following = page.following
        frame: pd.DataFrame = pandas.json_normalize(items)
        return frame

    @operation
    def get(self, item_id: str) -> Flow[dict[str, Any]]:
        """One item."""
        answer: dict[str, Any] = yield from self._session.get_json(self._one(item_id))
        return answer

    @operation
    def create(self, /, **values: Any) -> Flow[dict[str, Any]]:  # noqa: ANN401 - of the route
        """Make an item."""
        answer: dict[str, Any] = yield from self._session.send_json("POST", self.path, values)
        return answer

    @operation
    def update(self, item_id: str, /, **changes: Any) -> Flow[dict[str, Any]]:  # noqa: ANN401 - of the route
        """Change members of an item as it is now; raises PreconditionFailed if it changes at the same moment."""
        seen = yield from self._session.call("GET", self._one(item_id))
        tag = seen.headers.get("etag")
        headers = {"If-Match": tag} if tag else {}
        reply = yield from self._session.call("PATCH", self._one(item_id), json_body=changes, headers=headers)
        answer: dict[str, Any] = json.loads(reply.content)
        return answer

    @operation
    def delete(self, item_id: str) -> Flow[None]:
        """Remove an item."""
        yield from self._session.delete(self._one(item_id))
