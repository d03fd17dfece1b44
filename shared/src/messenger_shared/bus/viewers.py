"""The form of questions who looks at conversations, and of the gateways' answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

# Conversation id -> user ids.
Users = Mapping[str, Sequence[int]]


class Question(NamedTuple):
    """Which of these users look at these conversations. `number` tells the questions of a worker apart."""

    worker: str
    number: int
    users: Users

    def pack(self) -> bytes:
        """The question for the bus."""
        return orjson.dumps({"worker": self.worker, "number": self.number, "users": self.users})


class Looking(NamedTuple):
    """A gateway's answer to a question: those among the users who look, as far as it knows."""

    number: int
    users: Users

    def pack(self) -> bytes:
        """The answer for the bus."""
        return orjson.dumps({"number": self.number, "users": self.users})


def unpack_question(payload: bytes) -> Question:
    """The question in a message of the bus."""
    body = orjson.loads(payload)
    return Question(body["worker"], body["number"], body["users"])


def unpack_answer(payload: bytes) -> Looking:
    """The answer in a message of the bus."""
    body = orjson.loads(payload)
    return Looking(body["number"], body["users"])
