"""Events as operators see them."""

from enum import StrEnum

from dataforge.kernel.errors import Conflict, NotFound


class EventState(StrEnum):
    """How far an event is: it waits for its subscribers, all have heard it, or it was given up after ten tries."""

    WAITING = "waiting"
    RELAYED = "relayed"
    DEAD = "dead"


class EventNotFound(NotFound):
    """No event has this id, or it is forgotten."""

    code = "event_not_found"
    title = "There is no such event"


class EventNotRetryable(Conflict):
    """The event was not given up."""

    code = "event_not_retryable"
    title = "Only an event that was given up can be tried again"
