"""Owns what of the gateway is followed where tracing is on: requests, and each new message on its way out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from gateway.hub import Hub, Room
from messenger_shared.bus import Bus
from messenger_shared.events import MESSAGE_NEW, Event
from messenger_shared.operations.operation import CHAT_API, PRESENCE
from messenger_shared.rpc_client import RpcClient

if TYPE_CHECKING:
    from messenger_shared.spans import Spans

# The first of its kind in a frame: what people wrote comes after it.
_MESSAGE_ID: Final = re.compile(rb'"data":\{"id":"([0-9a-f-]{36})"')


def make_rpc(bus: Bus, spans: Spans | None) -> RpcClient:
    """Asks both services, and has what it asks followed if that is wanted."""
    if spans is None:
        return RpcClient(bus, (CHAT_API, PRESENCE))
    from messenger_shared.spans import FollowedClient

    client = FollowedClient(bus, (CHAT_API, PRESENCE))
    client.spans = spans
    return client


def make_hub(spans: Spans | None) -> Hub:
    """Who is here; each new message is followed if that is wanted."""
    return Hub() if spans is None else _FollowedHub(spans)


class _FollowedHub(Hub):
    def __init__(self, spans: Spans) -> None:
        super().__init__()
        self._spans = spans

    def emit(self, room: Room, events: Iterable[Event]) -> None:
        events = list(events)
        super().emit(room, events)
        for event in events:
            found = _MESSAGE_ID.search(event.frame) if event.type == MESSAGE_NEW and event.at else None
            if found is not None:
                # Later in this turn: then it is written.
                begun, members = int(event.at * 1e9), len(room.members)
                self._loop.call_soon(self._record, found[1].decode(), begun, members)

    def _record(self, message_id: str, begun_ns: int, members: int) -> None:
        self._spans.record("deliver", message_id, begun_ns, members=members)
