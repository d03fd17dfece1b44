"""Defines what is stored of webhooks, and the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol


class WebhookRow(NamedTuple):
    """A webhook. `waiting` and `parked` count conversations that are behind."""

    name: str
    url: str
    types: list[str]
    disabled_reason: str | None
    created_at: str
    old_secret_until: str | None
    waiting: int
    parked: int


class NewSecret(NamedTuple):
    """A secret, and the request that made it: its repeat gets the same one."""

    request_id: str
    secret: str


class Webhook(NamedTuple):
    """A webhook as whoever posts to its receiver needs it. `secrets` has two while they change."""

    id: str
    name: str
    url: str
    types: frozenset[str]
    secrets: tuple[str, ...]


class WebhookStore(Protocol):
    """Webhooks. Every method raises AppError: unavailable, or not_found if there is none of the name."""

    async def put(
        self, name: str, url: str, types: Sequence[str], *, disabled: bool, new: NewSecret, at_most: int
    ) -> str | None:
        """Makes the webhook or changes it. Returns its secret if this request made it.

        Raises AppError(invalid_frame) if there are so many already.
        """

    async def all(self, name: str | None = None) -> list[WebhookRow]:
        """All webhooks in the order of their names, or the one of this name."""

    async def delete(self, name: str) -> None:
        """Deletes the webhook."""

    async def rotate(self, name: str, new: NewSecret, keep_s: float) -> str:
        """Gives it a new secret, and keeps the old one for so long. Returns the one of this request."""

    async def find(self, name: str) -> Webhook:
        """Where to post, and with which secrets."""

    async def attempts(self, name: str, before: int, limit: int) -> list[Mapping[str, Any]]:
        """Up to `limit` attempts with an id below `before`, the newest first."""

    async def redeliver(self, name: str, conversation_id: str | None, from_pos: int | None) -> int:
        """Has conversations tried again now, all or one, or one from a pos on. Returns how many."""
