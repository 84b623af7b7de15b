"""One dataset by its name or id, looked up when it is needed."""

from __future__ import annotations

import uuid

from dataforge_client.errors import Ambiguous, NotFound
from dataforge_client.flows import Bound, Driver, Flow, M, operation
from dataforge_client.models import DatasetInfo, parse
from dataforge_client.session import Session, segment

DATASETS = "/api/datasets"


def _is_id(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name.lower()
    except ValueError:
        return False


def find_dataset(session: Session, name: str) -> Flow[DatasetInfo]:
    """A dataset by id or name; names of different people may be the same."""
    if _is_id(name):
        return parse(DatasetInfo, (yield from session.get_json(f"{DATASETS}/{name}")))
    named: list[DatasetInfo] = []
    pages = session.pages(DATASETS, {"search": name, "limit": 200}, lambda item: parse(DatasetInfo, item))
    page = yield from pages()
    while True:
        named += [info for info in page.items if info.name == name]
        if page.following is None:
            break
        page = yield from page.following()
    if not named:
        detail = f"There is no dataset {name!r}, or you may not read it."
        raise NotFound(404, {"code": "dataset_not_found", "detail": detail})
    if len(named) > 1:
        ids = ", ".join(info.id for info in named[:10])
        message = f"{len(named)} datasets are called {name!r}: take one of them by its id ({ids})."
        raise Ambiguous(message)
    return named[0]


class OneDataset(Bound[M]):
    """A dataset, and where its versions are."""

    def __init__(self, driver: Driver, session: Session, name: str, info: DatasetInfo | None = None) -> None:
        self._driver, self._session = driver, session
        self.name = name
        self._info = info

    def __repr__(self) -> str:
        return f"<Dataset {self.name!r}>"

    def _resolved(self) -> Flow[DatasetInfo]:
        if self._info is None:
            self._info = yield from find_dataset(self._session, self.name)
        return self._info

    def _path(self, version: str | None, *rest: str) -> Flow[str]:
        info = yield from self._resolved()
        return "/".join((DATASETS, info.id, "refs", segment(version or info.default_branch), *rest))

    @operation
    def info(self) -> Flow[DatasetInfo]:
        """What the dataset is called, where it belongs and what one may do with it, as it is now."""
        known = yield from self._resolved()
        self._info = parse(DatasetInfo, (yield from self._session.get_json(f"{DATASETS}/{known.id}")))
        return self._info
