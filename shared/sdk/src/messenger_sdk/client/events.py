"""What a client yields: the messenger's events, and one of its own."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict

from messenger_sdk import models


class HistoryGapEvent(TypedDict):
    """More changed than a replay has. New messages follow; earlier ones may have changed meanwhile."""

    type: Literal["history.gap"]
    conversation_id: str


Event: TypeAlias = models.Event | HistoryGapEvent
