"""Owns what of chat-api is followed where tracing is on, besides its requests: each message's batch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chat_api.model import Draft, Verdict
from chat_api.storage.messages import PgMessages
from messenger_shared.postgres import Database

if TYPE_CHECKING:
    from messenger_shared.spans import Spans


def make_messages(database: Database, spans: Spans | None) -> PgMessages:
    """The store of messages; what it commits is followed if that is wanted."""
    return PgMessages(database) if spans is None else _FollowedMessages(database, spans)


class _FollowedMessages(PgMessages):
    def __init__(self, database: Database, spans: Spans) -> None:
        super().__init__(database)
        self._spans = spans

    async def store(self, drafts: Sequence[Draft]) -> list[Verdict]:
        begun = time.time_ns()
        verdicts = await super().store(drafts)
        for draft, verdict in zip(drafts, verdicts, strict=True):
            if verdict.verdict == "stored":
                self._spans.record("commit", draft.id, begun, batch=len(drafts))
        return verdicts
