"""Owns gathering sends: while one batch is in the database, arriving ones collect; the next takes them all.

So a quiet system waits for nothing, and a busy one shares one round trip and one fsync among many messages.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

import orjson
from prometheus_client import Gauge, Histogram

from chat_api.model import Draft, MessageData, Sent, Verdict, is_same_message, message_of
from chat_api.ports import MessageStore
from chat_api.publish import Publisher
from messenger_shared import errors
from messenger_shared.errors import AppError, ErrorKind

log = logging.getLogger(__name__)

MAX_WAITING: Final = 5_000
MAX_BATCH: Final = 200
RETRY_AFTER_MS: Final = 500
BATCH_SIZE = Histogram(
    "messenger_send_batch_size", "Messages per batch", buckets=(1, 2, 5, 10, 20, 50, 100, 200)
)
SENDS_WAITING = Gauge(
    "messenger_sends_waiting", "Messages that wait for their batch", multiprocess_mode="livesum"
)

_REFUSALS: Final[dict[str, ErrorKind]] = {
    "not_found": errors.NOT_FOUND,
    "not_member": errors.NOT_MEMBER,
    "forbidden": errors.FORBIDDEN,
}
_Waiting = tuple[Draft, asyncio.Future[Any]]


class Intake:
    """Turns drafts into stored, published messages. One batch is under way at a time."""

    def __init__(self, store: MessageStore, publisher: Publisher) -> None:
        self._store = store
        self._publisher = publisher
        self._waiting: list[_Waiting] = []
        # By message id: a gateway that asks again asks with the same one, maybe before the first is through.
        self._under_way: dict[str, asyncio.Future[Any]] = {}
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    def send(self, draft: Draft) -> asyncio.Future[Any]:
        """Resolves to the JSON of the answer once it is committed and published, or to an AppError.

        Raises AppError(overloaded) when too many wait already.
        """
        under_way = self._under_way.get(draft.id)
        if under_way is not None:
            return under_way
        if len(self._waiting) >= MAX_WAITING or self._closed:
            raise AppError(errors.OVERLOADED, retry_after_ms=RETRY_AFTER_MS)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._under_way[draft.id] = answer
        answer.add_done_callback(lambda _: self._under_way.pop(draft.id))
        self._waiting.append((draft, answer))
        if self._worker is None:
            self._worker = asyncio.create_task(self._drain(), name="intake")
        return answer

    async def start(self) -> None:
        """Nothing to do: the first send starts the work."""

    async def stop(self) -> None:
        """Refuses new sends and finishes those that wait."""
        self._closed = True
        if self._worker is not None:
            await self._worker

    async def _drain(self) -> None:
        # What else this turn of the loop brings belongs in the first batch.
        await asyncio.sleep(0)
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            try:
                await self._store_batch(batch)
            except AppError as error:
                _fail(batch, error)
            except Exception:
                log.exception("a batch of %d failed", len(batch))
                _fail(batch, AppError(errors.INTERNAL))
        SENDS_WAITING.set(0)
        self._worker = None

    async def _store_batch(self, batch: Sequence[_Waiting]) -> None:
        BATCH_SIZE.observe(len(batch))
        SENDS_WAITING.set(len(self._waiting))
        verdicts = await self._store.store([draft for draft, _ in batch])
        repeats = await self._repeats(batch, verdicts)
        outcomes = [
            _outcome(draft, verdict, repeats) for (draft, _), verdict in zip(batch, verdicts, strict=True)
        ]
        self._publish([outcome for outcome in outcomes if isinstance(outcome, _Stored)])
        # After publishing: whoever has an answer can rely on it that the event was told.
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            _resolve(future, outcome)

    async def _repeats(self, batch: Sequence[_Waiting], verdicts: Sequence[Verdict]) -> dict[str, Sent]:
        known = {
            verdict.stored_id: draft.sender_id
            for (draft, _), verdict in zip(batch, verdicts, strict=True)
            if verdict.verdict == "repeat" and verdict.stored_id is not None
        }
        return await self._store.sent(list(known), list(known.values())) if known else {}

    def _publish(self, stored: list[_Stored]) -> None:
        """Repeats too: who stored one may have died before he could tell. Gateways drop doubles."""
        fresh = [one for one in stored if one.message["version"] == 1 and one.message["deleted_at"] is None]
        fresh.sort(key=lambda one: (one.message["conversation_id"], one.message["pos"]))
        for conversation_id, group in groupby(fresh, key=lambda one: str(one.message["conversation_id"])):
            self._publisher.messages(conversation_id, [(one.message, one.text) for one in group])


class _Stored(NamedTuple):
    """A draft that is a message now; its `text`, the JSON, is made once for the event and the answer."""

    message: MessageData
    text: bytes
    duplicate: bool

    def answer(self) -> bytes:
        message = self.message
        return orjson.dumps(
            {
                "message_id": message["id"],
                "conversation_id": message["conversation_id"],
                "data": orjson.Fragment(self.text),
                "duplicate": self.duplicate,
            }
        )


def _outcome(draft: Draft, verdict: Verdict, repeats: dict[str, Sent]) -> _Stored | AppError:
    if verdict.verdict == "stored":
        message = message_of(draft, verdict)
        return _Stored(message, orjson.dumps(message), False)
    if verdict.verdict == "repeat":
        sent = repeats.get(str(verdict.stored_id))
        # Under somebody else's message id there is nothing of his.
        if sent is None or not is_same_message(draft, sent):
            return AppError(errors.IDEMPOTENCY_CONFLICT)
        # The same id is a gateway that asked again, of which the client knows nothing.
        return _Stored(sent.message, orjson.dumps(sent.message), sent.message["id"] != draft.id)
    if verdict.verdict == "bad_reply":
        return AppError(errors.INVALID_FRAME, details={"reply_to": ["No such message in this conversation."]})
    return AppError(_REFUSALS[verdict.verdict])


def _resolve(future: asyncio.Future[Any], outcome: _Stored | AppError) -> None:
    if future.done():
        return
    if isinstance(outcome, AppError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome.answer())


def _fail(batch: Sequence[_Waiting], error: AppError) -> None:
    for _, future in batch:
        _resolve(future, error)
