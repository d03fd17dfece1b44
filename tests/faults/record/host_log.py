"""The log of a host application: what was acknowledged at the server's door."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(slots=True)
class HostSend:
    """A message that the host posts with an Idempotency-Key: its text, and the ids in the answers."""

    key: str
    room: str
    content: str
    ids: set[str] = field(default_factory=set)


class HostLog:
    """Everything that one host was told. The ids in answers should be one each."""

    def __init__(self) -> None:
        # External id of a user -> ids in answers, and the last acknowledged name.
        self.user_ids: dict[str, set[int]] = defaultdict(set)
        self.names: dict[str, str] = {}
        self.renames = 0
        # Key of a conversation -> ids in answers.
        self.room_ids: dict[str, set[str]] = defaultdict(set)
        self.sends: dict[str, HostSend] = {}
        # Answers that no host should get.
        self.refusals: list[str] = []
