"""Send a sample and watch it arrive: through the stream, or with the scheduled job."""

from typing import Annotated, Any
from uuid import UUID, uuid4

from starlette.responses import Response

from dataforge.contexts.identity.contract import XapiCredential
from dataforge.contexts.lrs.load.queries import MOST_COUNTED, etl_counts, etl_runs, way_of
from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.statements.commands import AcceptStatements
from dataforge.contexts.lrs.statements.domain import StatementsBody, XapiVersion, format_timestamp
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.texts import Text
from dataforge.settings import EtlMode
from dataforge.web.calls import ChosenId, PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("lrs")

STREAMING, INCREMENTAL = "/ui/test-etl-streaming", "/ui/test-etl-incremental"
_HOME_PAGE = "https://dataforge.example/console"
# What administrators send has an authority of its own: no sender's key stands for it.
CONSOLE = XapiCredential(
    "console",
    frozenset({"statements/write"}),
    {"objectType": "Agent", "name": "DataForge console", "account": {"homePage": _HOME_PAGE, "name": "console"}},
)


@router.get(STREAMING)
async def streaming_page(
    call: Annotated[PageCall, require_page(Action.CREATE, Kind.STATEMENT)], statement: ChosenId = None
) -> Response:
    """Statements that are loaded and flattened as they come."""
    return await _page(call, EtlMode.STREAMING, statement)


@router.post(STREAMING)
async def send_streaming(call: Annotated[PageCall, require_page(Action.CREATE, Kind.STATEMENT)]) -> Response:
    """Send a sample and watch it."""
    return await _send(call, STREAMING)


@router.get(INCREMENTAL)
async def incremental_page(
    call: Annotated[PageCall, require_page(Action.CREATE, Kind.STATEMENT)], statement: ChosenId = None
) -> Response:
    """Statements that the scheduled job flattens, and what it did lately."""
    return await _page(call, EtlMode.INCREMENTAL, statement)


@router.post(INCREMENTAL)
async def send_incremental(call: Annotated[PageCall, require_page(Action.CREATE, Kind.STATEMENT)]) -> Response:
    """Send a sample and watch it."""
    return await _send(call, INCREMENTAL)


async def _send(call: PageCall, path: str) -> Response:
    statement_id = str(uuid4())
    sample = _sample(statement_id, call.principal.username, format_timestamp(call.platform.clock.now()))
    body = StatementsBody([sample], is_array=False)
    await call.services(LrsServices).acceptor.accept(AcceptStatements(body, CONSOLE, XapiVersion.V1_0))
    return call.see_other(path, statement=statement_id)


def _sample(statement_id: str, username: str, now: str) -> dict[str, object]:
    return {
        "id": statement_id,
        "actor": {"name": username, "account": {"homePage": _HOME_PAGE, "name": username}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced", "display": {"en": "experienced"}},
        "object": {
            "id": "https://dataforge.example/samples/statement",
            "definition": {"name": {"en": Text("A sample from the console")}},
        },
        "timestamp": now,
    }


async def _page(call: PageCall, mode: EtlMode, statement: UUID | None) -> Response:
    way = None if statement is None else await call.query(way_of, statement)
    queues = (await call.platform.health())["queues"]
    return call.page(
        "lrs/test_etl.html",
        mode=mode,
        configured=call.services(LrsServices).settings.etl_mode,
        path=STREAMING if mode is EtlMode.STREAMING else INCREMENTAL,
        other=INCREMENTAL if mode is EtlMode.STREAMING else STREAMING,
        statement=statement,
        steps=_steps(way),
        watching=way is not None and way["processed_at"] is None and way["state"] != "dead",
        counts=await call.query(etl_counts),
        most=MOST_COUNTED,
        runs=await call.query(etl_runs),
        queue=queues.get("statements"),
    )


def _steps(way: dict[str, Any] | None) -> list[tuple[str, bool, str]]:
    """The steps of a statement: name, whether it is done, and how long after it was stored."""
    if way is None:
        return []
    loaded = way["state"] is not None
    flat = "" if way["processed_at"] is None else f"{(way['processed_at'] - way['stored_at']).total_seconds():.1f} s"
    return [
        (Text("accepted, and read by its id"), loaded or way["pending"], ""),
        (Text("loaded, and listed"), loaded, ""),
        (Text("flattened, and seen by reports"), bool(flat), flat),
    ]
