"""Serves static files."""

from starlette.responses import Response

from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text
from dataforge.web.assets import PATH, assets
from dataforge.web.routing import page_router

router = page_router("static")
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"  # a page of the release before asks for its own hash during a deployment


@router.get(PATH + "/{digest}/{name}")
async def get_asset(digest: str, name: str) -> Response:
    """A static file; one asked for by another hash than its own is served and not kept."""
    asset = assets().get(name)
    if asset is None:
        message = Text("There is no such file.")
        raise NotFound(message)
    kept = _FOR_EVER if digest == asset.digest else _ASK_AGAIN
    return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": kept})
