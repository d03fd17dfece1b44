"""The members of the conversation: each reacts once to a message. Some have sockets, the others use REST."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from tests.bench.presence.bench_stack import BASE_PATH, BenchStack
from tests.bench.programs import BenchError
from tests.faults.actors.wire import Wire, open_wire

EMOJI: Final = ("👍", "❤️", "😂", "🎉", "😮")
WINDOW_S: Final = 1.0
ANSWER_S: Final = 60.0
_FRAME: Final = b'{"type":"message.reactions"'
_ANSWERS: Final = (b'{"type":"reaction.ok"', b'{"type":"error"')


class Answers:
    """What the members were answered: how long it took, and the codes of refusals."""

    def __init__(self) -> None:
        self.took_s: list[float] = []
        self.refusals: Counter[str] = Counter()

    def add(self, since: float, code: str | None) -> None:
        """Notes an answer to what was asked at `since`."""
        self.took_s.append(asyncio.get_running_loop().time() - since)
        if code is not None:
            self.refusals[code] += 1


class SocketMember:
    """A member with a socket: reacts through it, and notes when frames of reactions come."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.arrivals: list[float] = []
        self.last_frame = b""
        # Why the socket ended, if it did.
        self.end = ""
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[bytes] | None = None
        self._wire: Wire | None = None

    async def open(self, stack: BenchStack) -> None:
        """Opens the socket. Raises OSError or TimeoutError."""
        path, token = f"{BASE_PATH}/ws", stack.token(self.user_id)
        self._wire = await open_wire("127.0.0.1", stack.port, path, token, self._on_text, self._on_end)

    def close(self) -> None:
        """Ends the connection."""
        if self._wire is not None:
            self._wire.abort()

    async def react(self, message_id: str, emoji: str, answers: Answers) -> None:
        """Reacts, and notes the answer."""
        assert self._wire is not None
        self._answer = self._loop.create_future()
        since = self._loop.time()
        frame = {"type": "reaction.set", "message_id": message_id, "emoji": emoji, "on": True, "ref": "r"}
        self._wire.send(json.dumps(frame).encode())
        async with asyncio.timeout(ANSWER_S):
            answer = json.loads(await self._answer)
        answers.add(since, answer.get("code"))

    def most_in_a_second(self) -> int:
        """Returns the largest number of frames within one second."""
        return max((sum(at <= o < at + WINDOW_S for o in self.arrivals) for at in self.arrivals), default=0)

    def frames_per_s(self) -> float:
        """Returns the frames per second from the first to the last one."""
        if len(self.arrivals) < 2:
            return 0.0
        return (len(self.arrivals) - 1) / (self.arrivals[-1] - self.arrivals[0])

    def _on_text(self, text: bytes) -> None:
        if text.startswith(_FRAME):
            self.arrivals.append(self._loop.time())
            self.last_frame = text
        elif text.startswith(_ANSWERS) and self._answer is not None and not self._answer.done():
            self._answer.set_result(text)

    def _on_end(self, code: int, reason: bytes) -> None:
        self.end = f"the socket of {self.user_id} ended with {code} {reason!r}"
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(BenchError(self.end))


class RestMember:
    """A member without a socket."""

    def __init__(self, user_id: int, http: aiohttp.ClientSession, stack: BenchStack) -> None:
        self.user_id = user_id
        self._http = http
        self._stack = stack

    async def react(self, message_id: str, emoji: str, answers: Answers) -> None:
        """Reacts, and notes the answer."""
        since = asyncio.get_running_loop().time()
        url = f"http://127.0.0.1:{self._stack.port}{BASE_PATH}/messages/{message_id}/reactions/{quote(emoji)}"
        async with self._http.put(url, headers=self._stack.bearer(self.user_id)) as response:
            body: dict[str, Any] = await response.json()
        answers.add(since, body.get("code"))


async def stored_counts(
    http: aiohttp.ClientSession, stack: BenchStack, asker: int, message_id: str
) -> Counter[str]:
    """Returns how many distinct users are listed for each emoji."""
    url = f"http://127.0.0.1:{stack.port}{BASE_PATH}/messages/{message_id}/reactions"
    cursor: str | None = ""
    rows: set[tuple[int, str]] = set()
    while cursor is not None:
        query = {"limit": "100", **({"cursor": cursor} if cursor else {})}
        async with http.get(url, params=query, headers=stack.bearer(asker)) as response:
            page = await response.json()
        rows |= {(row["user_id"], row["emoji"]) for row in page["items"]}
        cursor = page["next_cursor"]
    return Counter(emoji for _, emoji in rows)


def told_counts(members: Sequence[SocketMember], message_id: str) -> list[Counter[str]]:
    """Returns the different counts in the sockets' last frames about the message."""
    found = []
    for text in {member.last_frame for member in members}:
        frame = json.loads(text) if text else {}
        if frame.get("message_id") == message_id:
            found.append(Counter({row["emoji"]: row["count"] for row in frame["counts"]}))
    return found
