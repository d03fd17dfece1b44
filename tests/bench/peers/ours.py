"""What our server and the naive one promise, in the words of the peers' table."""

from tests.bench.peers.peer import Promises
from tests.bench.report import NAIVE, OURS

PROMISES = {
    OURS: Promises(
        acknowledged="is committed by PostgreSQL, synced to disk",
        order="one order in a conversation, the same for all members, without holes",
        absence="everything, after any absence: what changed by `resume`, the rest by history",
        repeats="stored and sent once, whenever the same `client_message_id` comes",
        readers="members alone, as they are at that moment; checked by rules and by row-level security",
        missing="end-to-end encryption; more than one PostgreSQL that takes writes",
    ),
    NAIVE: Promises(
        acknowledged="is committed by PostgreSQL, synced to disk",
        order="none: who commits first may be sent last",
        absence="what was stored after a number of messages, if the order was right",
        repeats="stored and sent again",
        readers="members, in the memory of one process that forgets them",
        missing="nearly everything; it is a yardstick",
    ),
}
