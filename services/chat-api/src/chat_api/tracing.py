"""Records a span for each stored message when tracing is on; the RPC server traces the requests."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chat_api.model import Draft, Verdict
from chat_api.storage.messages import PgMessages
from messenger_shared.postgres.database import Database

if TYPE_CHECKING:
    from messenger_shared.tracing.spans import Spans


def make_message_store(database: Database, spans: Spans | None) -> PgMessages:
    """The message store. With `spans`, it records a span for each message that it commits."""
    return PgMessages(database) if spans is None else _TracedMessages(database, spans)


class _TracedMessages(PgMessages):
    def __init__(self, database: Database, spans: Spans) -> None:
        super().__init__(database)
        self._spans = spans

    async def store(self, drafts: Sequence[Draft]) -> list[Verdict]:
        begun, started = time.time_ns(), time.monotonic_ns()
        verdicts = await super().store(drafts)
        took = time.monotonic_ns() - started
        for draft, verdict in zip(drafts, verdicts, strict=True):
            if verdict.verdict == "stored":
                self._spans.record("commit", draft.id, begun, took, batch=len(drafts))
        return verdicts
