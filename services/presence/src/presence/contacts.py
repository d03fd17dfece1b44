"""Asks chat-api which users share a conversation with a user."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from messenger_shared.contract.operations.internal import reports
from messenger_shared.contract.operations.operation import Operation
from messenger_shared.rpc.client import RpcClient

DEADLINE_S: Final = 2.0


class RpcContacts:
    """Contacts that asks chat-api over the bus."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def among(self, user_id: int, user_ids: Collection[int]) -> set[int]:
        """See Contacts.among."""
        return set(await self._ask(reports.CONTACTS_AMONG, user_id, {"user_ids": list(user_ids)}))

    async def page(self, user_id: int, after: int, limit: int) -> list[int]:
        """See Contacts.page."""
        return list(await self._ask(reports.CONTACTS_PAGE, user_id, {"after": after, "limit": limit}))

    async def _ask(self, operation: Operation, user_id: int, body: dict[str, Any]) -> Any:
        answer = await self._rpc.ask(
            operation.service,
            operation.name,
            body,
            key=str(user_id),
            user_id=user_id,
            deadline_s=DEADLINE_S,
        )
        return answer["user_ids"]
