"""Answers of routes about tutorials."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from dataforge.contexts.tutorials.tutorials.commands import NewShareLink
from dataforge.contexts.tutorials.tutorials.domain.links import ShareLink
from dataforge.contexts.tutorials.tutorials.domain.selection import TutorialPage, TutorialSummary
from dataforge.contexts.tutorials.tutorials.domain.tutorial import Tutorial
from dataforge.contexts.tutorials.tutorials.wire import (
    NewShareLinkOut,
    SharedTutorialOut,
    ShareLinkOut,
    TutorialOut,
    TutorialSummaryOut,
)
from dataforge.http.addresses import absolute_address
from dataforge.http.call import Call, json_response
from dataforge.http.encoding import dump_json
from dataforge.http.etag import etag
from dataforge.kernel.paging import Page

TUTORIAL_PAGE = "/ui/tutorials"
SHARED_PAGE = "/ui/shared-tutorials"
"""Below it are the pages that links lead to, each by its token."""


def tutorial_answer(tutorial: Tutorial) -> Response:
    """One tutorial with its ETag."""
    body = TutorialOut.model_validate(asdict(tutorial))
    return json_response(body, headers={"ETag": etag(tutorial.revision)})


def page_answer(call: Call, page: TutorialPage, limit: int) -> Response:
    """A page of tutorials and the total."""
    rows = [TutorialSummaryOut.model_validate(asdict(summary)) for summary in page.tutorials]
    last = page.tutorials[-1] if page.more else None
    key = None if last is None else _position(last)
    return call.page_response(Page(rows, key), limit=limit, total=page.total)


def links_answer(links: Sequence[ShareLink]) -> Response:
    """Links without their tokens."""
    return json_response({"items": [ShareLinkOut.model_validate(_link_facts(link)) for link in links]})


def new_link_answer(request: Request, made: NewShareLink) -> Response:
    """A new link with its token, which is shown this once, and the page that it leads to."""
    url = shared_page_address(request, made.token)
    body = NewShareLinkOut.model_validate({**_link_facts(made.link), "token": made.token, "url": url})
    return json_response(body, status=201, headers={"Cache-Control": "no-store"})


def shared_answer(tutorial: Tutorial) -> Response:
    """What everybody may read of a tutorial; kept by the reader's browser, which asks each time whether it may."""
    body = dump_json(SharedTutorialOut.model_validate(asdict(tutorial)))
    tag = etag(hashlib.sha256(body).hexdigest()[:32])
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    return Response(body, headers=headers, media_type="application/json")


def shared_page_address(request: Request, token: str) -> str:
    """The whole address of the page that a link leads to."""
    return absolute_address(request.scope, f"{SHARED_PAGE}/{token}")


def lesson_address(request: Request, tutorial_id: UUID) -> str:
    """What statements call the tutorial when it is a lesson: its page, as it was addressed when the lesson was made."""
    return absolute_address(request.scope, f"{TUTORIAL_PAGE}/{tutorial_id}")


def _position(summary: TutorialSummary) -> tuple[object, ...]:
    return summary.created_at.isoformat(), str(summary.id)


def _link_facts(link: ShareLink) -> dict[str, Any]:
    facts = asdict(link)
    del facts["token_hash"]
    return facts
