"""How a context wires itself: each has a `module.py` with one `MODULE`, which the composition root finds by itself."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dataforge.kernel.events import Event
from dataforge.platform.services import Factory, Services

if TYPE_CHECKING:
    from dataforge.platform.attributions import Attribution
    from dataforge.platform.jobs.control import JobControl
    from dataforge.platform.jobs.shared import SharedJob, SharedJobsUnitOfWork
    from dataforge.platform.ops import Ops
    from dataforge.platform.personal_data import PersonalData

Built = TypeVar("Built", bound=Services)
Command = Callable[[Mapping[str, Any], Built], Awaitable[Mapping[str, Any]]]
Job = Callable[[Built], Awaitable[Mapping[str, Any]]]
Subscriber = Callable[[Any, Built], Awaitable[None]]
Consumer = Callable[[Mapping[str, Any], Built], Awaitable[dict[str, Any]]]
Receiver = Callable[[Mapping[str, Any], Built], Awaitable[None]]
Failed = Callable[[Any, Mapping[str, Any], Any], Awaitable[None]]
Work = Callable[["SharedJob", "JobControl[Any]", Built], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class JobKind(Generic[Built]):
    """How `worker` does jobs of one kind: the work, and the unit of work that its `control` makes."""

    work: Work[Built]
    unit_of_work: "type[SharedJobsUnitOfWork]"
    failed: Failed | None = None
    """What is done in the transaction in which a job fails for good, with what it failed with."""


def nothing() -> Mapping[Any, Any]:
    """For a module that has none of these."""
    return MappingProxyType({})


def nobody() -> "PersonalData[Any]":
    """For a module that holds nothing about people."""
    from dataforge.platform.personal_data import PersonalData

    return PersonalData()


def no_attribution() -> "Attribution[Any] | None":
    """For a module that attributes nothing by e-mail addresses."""
    return None


def nothing_to_show() -> "Ops":
    """For a module that shows operators nothing."""
    from dataforge.platform.ops import Ops

    return Ops()


@dataclass(frozen=True, slots=True, kw_only=True)
class Module(Generic[Built]):
    """What one context brings, by the function that uses it.

    Routers are modules by name, loaded with the first request below their prefix (ADR 1). The rest is given by
    functions, which import the code behind it when a function starts that needs it, and no other.
    """

    name: str
    services: type[Built]
    """The context's parts, made once for each function."""
    routers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Function → first path segments (`/api/courses`) → the module whose `router` serves them."""
    open_paths: Sequence[str] = ()
    """Paths that pages of every origin may call from a browser: what opens them stands in the address or the body."""
    offers: Mapping[type, Factory] = field(default_factory=dict)
    """Protocols of the contract → what makes the part that keeps them."""
    commands: Mapping[str, Callable[[], Mapping[str, Command[Built]]]] = field(default_factory=dict)
    """Function → the commands it takes from operators, by name."""
    consumers: Mapping[str, Callable[[], Consumer[Built]]] = field(default_factory=dict)
    """Function → what handles the events of its queue."""
    jobs: Callable[[], Mapping[str, Job[Built]]] = nothing
    """What `maintenance` does every minute, in this order."""
    job_kinds: Callable[[], Mapping[str, JobKind[Built]]] = nothing
    """Kinds of jobs in the shared table, by name, which no other context may use → how `worker` does them."""
    messages: Callable[[], Mapping[str, Receiver[Built]]] = nothing
    """Messages to `worker` that are about no job, by name (`{"message": …}`) → what handles them; each may be lost."""
    subscribers: Callable[[], Mapping[type[Event], Sequence[Subscriber[Built]]]] = nothing
    """Events → who hears of them; each may come more than once."""
    personal_data: "Callable[[], PersonalData[Built]]" = nobody
    """What it holds about people: what an export of a person has, and what their erasure takes."""
    attribution: "Callable[[], Attribution[Built] | None]" = no_attribution
    """What it has of records that belong to a proved address and are attributed to nobody, or to somebody else."""
    ops: "Callable[[], Ops]" = nothing_to_show
    """What operators see of it: how its work stands, and what they may ask of its data."""
