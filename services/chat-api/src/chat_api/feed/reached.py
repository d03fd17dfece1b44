"""Remembers how far conversations have come, for as many as there is room for."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

REMEMBERED: Final = 100_000


class Reached:
    """The pos that conversations have reached; 0 for one that isn't remembered."""

    def __init__(self) -> None:
        self._positions: OrderedDict[str, int] = OrderedDict()

    def get(self, conversation_id: str) -> int:
        """The pos of the conversation."""
        return self._positions.get(conversation_id, 0)

    def note(self, conversation_id: str, pos: int) -> None:
        """Remembers it, and forgets the conversation that was noted longest ago if there are too many."""
        self._positions[conversation_id] = pos
        self._positions.move_to_end(conversation_id)
        if len(self._positions) > REMEMBERED:
            self._positions.popitem(last=False)
