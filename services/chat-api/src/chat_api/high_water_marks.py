"""Publishes the high-water marks of recently changed conversations every second.

Gateways find lost events by them. A hole between two events shows most losses, but no later event reveals the
loss of a conversation's last one.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

import orjson

from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus

PUBLISH_INTERVAL_S: Final = 1.0
RETENTION_S: Final = 5.0
MAX_CONVERSATIONS: Final = 100_000


class HighWaterMarks:
    """The conversations and memberships that this worker changed in the last RETENTION_S seconds."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._positions: dict[str, tuple[int, float]] = {}
        self._membership_changes: dict[int, tuple[int, float]] = {}
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    async def start(self) -> None:
        """Starts to publish every PUBLISH_INTERVAL_S."""
        self._task = asyncio.create_task(self._publish_regularly(), name="high-water marks")

    async def stop(self) -> None:
        """Stops the task and publishes one last time."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._publish()

    def record_pos(self, conversation_id: str, pos: int) -> None:
        """Records that the conversation's last pos is at least `pos`."""
        known = self._positions.pop(conversation_id, (0, 0.0))[0]
        # At the bound, drop the oldest. The gateways' own comparison finds what they miss by that.
        if len(self._positions) >= MAX_CONVERSATIONS:
            del self._positions[next(iter(self._positions))]
        self._positions[conversation_id] = (max(pos, known), self._loop.time())

    def record_membership_change(self, user_id: int) -> None:
        """Records that the user's memberships changed. A new number each time tells two changes apart."""
        self._membership_changes.pop(user_id, None)
        if len(self._membership_changes) >= MAX_CONVERSATIONS:
            del self._membership_changes[next(iter(self._membership_changes))]
        self._membership_changes[user_id] = (time.time_ns(), self._loop.time())

    async def _publish_regularly(self) -> None:
        while True:
            await asyncio.sleep(PUBLISH_INTERVAL_S)
            self._publish()

    def _publish(self) -> None:
        oldest = self._loop.time() - RETENTION_S
        self._positions = {key: row for key, row in self._positions.items() if row[1] >= oldest}
        self._membership_changes = {
            key: row for key, row in self._membership_changes.items() if row[1] >= oldest
        }
        if self._positions or self._membership_changes:
            positions = {key: row[0] for key, row in self._positions.items()}
            body = {
                "positions": positions,
                "users": [[key, row[0]] for key, row in self._membership_changes.items()],
            }
            # On any server that is there: they matter most while another one is away.
            channel = channels.HIGH_WATER_MARKS + self._bus.lane(channels.HIGH_WATER_MARKS)
            self._bus.publish(channel, orjson.dumps(body))
