"""Adds tracing to the gateway if it is on: a span per RPC request and one per delivered message."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from gateway.connections.hub import Hub, Room
from messenger_shared.bus.interface import Bus
from messenger_shared.contract.events import MESSAGE_NEW, Event
from messenger_shared.contract.operations.operation import CHAT_API, FEED, PRESENCE
from messenger_shared.rpc.client import RpcClient

if TYPE_CHECKING:
    from messenger_shared.tracing.spans import Spans

# The first match in a frame is the message's id: what users wrote comes after it.
_MESSAGE_ID: Final = re.compile(rb'"data":\{"id":"([0-9a-f-]{36})"')


def make_rpc(bus: Bus, spans: Spans | None) -> RpcClient:
    """The RPC client for chat-api, presence and the feed; traced if `spans` is given."""
    if spans is None:
        return RpcClient(bus, (CHAT_API, PRESENCE, FEED))
    from messenger_shared.tracing.spans import TracedClient

    client = TracedClient(bus, (CHAT_API, PRESENCE, FEED))
    client.spans = spans
    return client


def make_hub(spans: Spans | None) -> Hub:
    """The hub; it records a span per new message if `spans` is given."""
    return Hub() if spans is None else _TracedHub(spans)


class _TracedHub(Hub):
    def __init__(self, spans: Spans) -> None:
        super().__init__()
        self._spans = spans

    def emit(self, room: Room, events: Iterable[Event]) -> None:
        events = list(events)
        super().emit(room, events)
        for event in events:
            found = _MESSAGE_ID.search(event.frame) if event.type == MESSAGE_NEW and event.at else None
            if found is not None:
                # After the flush of this turn, so that the span includes the write.
                begun, members = int(event.at * 1e9), len(room.members)
                self._loop.call_soon(self._record, found[1].decode(), begun, members)

    def _record(self, message_id: str, begun_ns: int, members: int) -> None:
        self._spans.record("deliver", message_id, begun_ns, members=members)
