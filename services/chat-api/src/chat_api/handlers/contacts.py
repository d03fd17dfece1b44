"""Owns the handlers of the operations on who shares a conversation with whom; presence asks for them."""

from __future__ import annotations

from typing import Any

from chat_api.ports import ContactStore
from messenger_shared.operations import reports
from messenger_shared.rpc import Request


class ContactHandlers:
    """Contacts are those with whom one is in a conversation now."""

    def __init__(self, contacts: ContactStore) -> None:
        self._contacts = contacts

    async def among(self, request: Request) -> Any:
        """Those of the users who are contacts of the caller."""
        user_ids = reports.CONTACTS_AMONG.load(request.body)["user_ids"]
        return {"user_ids": await self._contacts.among(request.user_id, user_ids)}

    async def page(self, request: Request) -> Any:
        """Some of the caller's contacts, by id; he may be among them."""
        body = reports.CONTACTS_PAGE.load(request.body)
        return {"user_ids": await self._contacts.page(request.user_id, body["after"], body["limit"])}
