"""The consistency bound: everything stored up to it can be read (xAPI Communication 2.1.3).

It rests on three facts, all on the database's own clock:

1. A request is registered in `records.intake` with its `stored` before it is queued, only if `stored` is not older
   than FRESH seconds then, and the entry counts (`noted` in the message) only if it was committed within PATIENCE
   seconds.
2. The loader takes the entry away in the transaction that makes the statements visible; a request whose entry does not
   count or is gone (database away, entry withdrawn or cleaned up) is registered anew with a `stored` of that moment.
3. The bound is before the oldest entry, and MARGIN seconds ago at the latest: FRESH + PATIENCE < MARGIN, so no entry
   appears behind it. It is taken before an answer is made, so that the answer has everything up to it.

A function that is killed between registering and queueing leaves an entry that nothing follows. Maintenance forgets
those of two minutes ago when nothing waits in the queue; were it wrong, rule 2 has the request registered anew.

It keeps SENDING seconds from the oldest entry, because clients compare it with the moment in which they began to send.
"""

FRESH_SECONDS = 0.5
PATIENCE_SECONDS = 1.2
MARGIN_SECONDS = 1.75
SENDING_SECONDS = 1.0
