"""The OpenAPI document and a page that shows it: Swagger UI, served from here, under the content security policy."""

import gzip
import hashlib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import orjson
from fastapi import Request
from starlette.responses import Response

from dataforge.http.addresses import own_address
from dataforge.http.etag import not_modified
from dataforge.http.negotiation import accepts_gzip
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text
from dataforge.web.assets import MEDIA_TYPES
from dataforge.web.routing import page_router
from dataforge.web.templates import page

router = page_router("docs")
DOCUMENT = "/openapi.json"
PAGE = "/docs"
# Swagger UI as it is published, but for the pictures of its style: no policy of ours allows `data:`, so they are files.
FOLDER = Path(__file__).parent / "docs_files"
_ADDRESSES = 4  # under which one deployment is known: by itself, by its domain, from within


class _Packed(NamedTuple):
    content: bytes
    tag: str
    media_type: str


@cache
def _files() -> dict[str, _Packed]:
    """The files of the page by name, packed."""
    found = {}
    for file in sorted(FOLDER.iterdir()):
        content = file.read_bytes()
        packed = content if file.suffix == ".gz" else gzip.compress(content, mtime=0)
        name = file.name.removesuffix(".gz")
        found[name] = _Packed(packed, hashlib.sha256(packed).hexdigest()[:16], MEDIA_TYPES[Path(name).suffix])
    return found


@lru_cache(maxsize=_ADDRESSES)
def _document(base: str) -> _Packed:
    """The document for clients that know us under this address, packed."""
    # The committed one, which is tested to say what the code does: a function has not all of its contexts' libraries.
    document = orjson.loads(files("dataforge.http").joinpath("openapi.json").read_bytes())
    if base:
        document["servers"] = [{"url": base, "description": "where this document was read"}]
    content = gzip.compress(orjson.dumps(document), compresslevel=6, mtime=0)
    return _Packed(content, hashlib.sha256(content).hexdigest()[:16], "application/json")


def _answer(request: Request, packed: _Packed, headers: Mapping[str, str]) -> Response:
    """A packed content, unpacked for clients that do not take gzip; 304 if the client has it."""
    sent = {**headers, "ETag": f'W/"{packed.tag}"', "Vary": "Accept-Encoding"}
    content = packed.content
    if accepts_gzip(request.headers.get("accept-encoding", "")):
        sent["Content-Encoding"] = "gzip"
    else:
        content = gzip.decompress(content)
    return not_modified(request, Response(content, media_type=packed.media_type, headers=sent))


@router.get(DOCUMENT)
async def get_openapi(request: Request) -> Response:
    """The OpenAPI document of this API, with its address as the server."""
    base = own_address(request.scope, "/").removesuffix("/")
    return _answer(request, _document(base), {"Cache-Control": "public, max-age=300"})


@router.get(PAGE)
async def show_docs(request: Request) -> Response:
    """The document for people."""
    return page(request.scope, "web/docs.html")


@router.get(PAGE + "/{name}")
async def get_docs_file(name: str, request: Request) -> Response:
    """A file of the page."""
    packed = _files().get(name)
    if packed is None:
        message = Text("There is no such file.")
        raise NotFound(message)
    return _answer(request, packed, {"Cache-Control": "public, max-age=3600"})
