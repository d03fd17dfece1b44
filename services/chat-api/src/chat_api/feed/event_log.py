"""The consumer that keeps the log of events, in which hosts and webhooks find what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from chat_api.feed.consumer import Claim, Lease
from chat_api.storage.event_log import CONSUMER, PgEventLog
from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus

# A busy conversation has a row for each half second instead of one for each message.
GATHER_S: Final = 0.5


class EventLogger:
    """Appends and advances cursors in one transaction, and so has each change in the log exactly once."""

    name = CONSUMER

    def __init__(self, log: PgEventLog, bus: Bus, gather_s: float = GATHER_S) -> None:
        self._log = log
        self._bus = bus
        self.gather_s = gather_s

    async def handle(self, claims: Sequence[Claim], lease: Lease) -> Mapping[str, int]:
        positions = {claim.conversation_id: claim.last_pos for claim in claims}
        after = [claim.pos for claim in claims]
        held = await self._log.append(lease.token, list(positions), after, list(positions.values()))
        if held:
            # Whoever waits for events looks. If this is lost, they look a little later.
            self._bus.publish(channels.EVENTS, b"")
        return {id_: pos for id_, pos in positions.items() if id_ in held}
