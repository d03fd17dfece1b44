"""What the handlers of push need of the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chat_api.push.model import Decision, KeyUse, QuietHours, StoredDevice
from chat_api.push.rules import Facts
from chat_api.push.vapid import KeyPair


class PushStore(Protocol):
    """Devices, settings and decisions. Raises AppError(unavailable) if PostgreSQL is away."""

    async def subscribe(
        self,
        user_id: int,
        kind: str,
        endpoint: str,
        keys: tuple[str, str] | None,
        application_server_key: str | None,
    ) -> StoredDevice | None:
        """Stores a device of the user. None if the key that it was made with isn't there any more."""

    async def unsubscribe(self, user_id: int, endpoint: str) -> None:
        """Removes a device of the user, if it is there."""

    async def queue_test(self, user_id: int) -> int:
        """Queues a test for all devices of the user, and returns how many there are."""

    async def quiet_hours(self, user_id: int) -> QuietHours | None:
        """The user's quiet hours."""

    async def set_quiet_hours(self, user_id: int, hours: QuietHours | None) -> None:
        """Changes them. Raises AppError(invalid_frame) if PostgreSQL doesn't know the time zone."""

    async def facts(self, caller: int, conversation_id: str, seq: int, user_id: int) -> Facts | None:
        """What the rules ask; None if the user was never a member."""

    async def decision(self, caller: int, conversation_id: str, seq: int, user_id: int) -> Decision | None:
        """What was decided; None if nothing was, or if it was forgotten."""


class PushKeyStore(Protocol):
    """The VAPID keys. Raises like PushStore."""

    async def current(self) -> str:
        """The public key for new devices. Makes the first pair if there is none."""

    async def rotate(self) -> str:
        """Makes a new pair, and returns its public key. Devices keep the key that they have."""

    async def uses(self) -> Sequence[KeyUse]:
        """All keys, the newest first."""

    async def pairs(self) -> dict[int, KeyPair]:
        """All pairs, by id."""
