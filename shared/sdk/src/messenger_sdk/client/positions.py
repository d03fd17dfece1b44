"""Decides which durable events the application gets: each once, in the order of `pos`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from messenger_sdk.models import ConversationCounters

_ENDS = ("participant.removed", "conversation.deleted")


class Position(TypedDict):
    """How far a client is in a conversation: the last `pos`, and the last message's `seq` if it is known."""

    pos: int
    seq: int | None


class Positions:
    """How far the client is in each conversation.

    A paused conversation waits for a replay. Until then its live events are dropped, since the replay has
    them too. Those that follow the replay so closely that its end is not noticed yet come with another one.
    """

    def __init__(self, known: Mapping[str, Position] | None = None) -> None:
        self._known: dict[str, Position] = {id_: {**position} for id_, position in (known or {}).items()}
        self._paused: set[str] = set()
        # Replays of which an event found no room. The rest of such a replay is dropped, to come again.
        self._cut: set[str] = set()
        # Paused conversation -> the last `pos` that was dropped.
        self._dropped: dict[str, int] = {}
        # Conversation -> the `seq` up to which its unread messages have to be read from history.
        self._unread: dict[str, int] = {}
        # While the conversations are being listed: the first `pos` that came from an unknown one.
        self._unlisted: dict[str, int] | None = None

    def snapshot(self) -> dict[str, Position]:
        """Returns a copy of all positions."""
        return {id_: {**position} for id_, position in self._known.items()}

    def paused(self) -> dict[str, int]:
        """Returns the `pos` of each conversation that waits for a replay."""
        return {id_: self._known[id_]["pos"] for id_ in self._paused}

    def unread(self) -> dict[str, int]:
        """Returns the `seq` up to which each new conversation's messages have to be read from history."""
        return dict(self._unread)

    def seq_of(self, conversation_id: str) -> int | None:
        """Returns the last message's `seq`, if it is known."""
        position = self._known.get(conversation_id)
        return position["seq"] if position is not None else None

    def socket_opened(self) -> None:
        """A new socket: every conversation needs a replay, and there may be new conversations."""
        self._paused = set(self._known)
        self._cut.clear()
        self._dropped.clear()
        self._unlisted = {}

    def listed(self, rows: Iterable[ConversationCounters], *, is_first_start: bool) -> None:
        """Takes the list of all conversations.

        What happened before the first start doesn't count. Later, a new conversation's unread messages do.
        """
        for row in rows:
            id_, read_seq, last_seq = row["conversation_id"], row["read_seq"], row["last_seq"]
            if id_ in self._known:
                continue
            self._begin(id_, row["last_pos"], last_seq if is_first_start else read_seq)
            if not is_first_start and read_seq < last_seq:
                self._unread[id_] = last_seq
        for id_, pos in (self._unlisted or {}).items():
            if id_ not in self._known:
                self._begin(id_, pos - 1, None)
        self._unlisted = None

    def read(self, conversation_id: str, seq: int) -> None:
        """The application gets the message with this `seq` from history."""
        if conversation_id in self._known:
            self._known[conversation_id]["seq"] = seq

    def read_all(self, conversation_id: str) -> None:
        """All unread messages of a new conversation have been read."""
        self._unread.pop(conversation_id, None)

    def is_new(self, frame: Mapping[str, Any]) -> bool:
        """Returns whether the application gets this event."""
        id_, pos = frame["conversation_id"], frame["pos"]
        position = self._known.get(id_)
        if position is None:
            return not self._is_unlisted(id_, pos)
        if frame["type"] == "conversation.deleted":
            return True
        if frame["type"] == "message.new" and frame["data"]["seq"] <= (position["seq"] or 0):
            return False
        if id_ in self._paused and (id_ in self._cut or not frame.get("replay")):
            self._dropped[id_] = max(pos, self._dropped.get(id_, 0))
            return False
        return bool(pos > position["pos"])

    def passed(self, frame: Mapping[str, Any], me: int) -> None:
        """The application gets this event."""
        id_, type_ = frame["conversation_id"], frame["type"]
        if type_ in _ENDS and frame.get("user_id", me) == me:
            return self.forget(id_)
        position = self._known.setdefault(
            id_, {"pos": 0, "seq": 0 if type_ == "conversation.created" else None}
        )
        position["pos"] = frame["pos"]
        if type_ == "message.new":
            position["seq"] = frame["data"]["seq"]
        return None

    def dropped(self, frame: Mapping[str, Any]) -> None:
        """There is no room for this event. A later replay brings it."""
        id_ = frame["conversation_id"]
        if id_ not in self._known:
            self._begin(id_, frame["pos"] - 1, None)
        self._paused.add(id_)
        self._cut.add(id_)

    def replayed(self, conversation_id: str, pos: int) -> bool:
        """A replay has ended at `pos`. Returns False if another is needed: it was cut, or more followed."""
        dropped = self._dropped.pop(conversation_id, 0)
        if conversation_id in self._cut:
            self._cut.discard(conversation_id)
            return False
        if conversation_id in self._known:
            self._known[conversation_id]["pos"] = pos
            if dropped > pos:
                return False
            self._paused.discard(conversation_id)
        return True

    def jump(self, conversation_id: str, pos: int) -> None:
        """Nothing could be replayed. The conversation stays paused at `pos`."""
        if conversation_id in self._known:
            self._known[conversation_id]["pos"] = pos

    def forget(self, conversation_id: str) -> None:
        """The user is no longer a member."""
        self._known.pop(conversation_id, None)
        self._unread.pop(conversation_id, None)
        self._paused.discard(conversation_id)
        self._cut.discard(conversation_id)
        self._dropped.pop(conversation_id, None)

    def _begin(self, conversation_id: str, pos: int, seq: int | None) -> None:
        self._known[conversation_id] = {"pos": pos, "seq": seq}
        self._paused.add(conversation_id)

    def _is_unlisted(self, conversation_id: str, pos: int) -> bool:
        if self._unlisted is None:
            return False
        self._unlisted.setdefault(conversation_id, pos)
        return True
