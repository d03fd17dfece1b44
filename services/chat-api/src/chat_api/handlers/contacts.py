"""Handles the operations on contacts, for the presence service."""

from __future__ import annotations

from typing import Any

from chat_api.ports import ContactStore
from messenger_shared.contract.operations.internal import reports
from messenger_shared.rpc.messages import Request


class ContactHandlers:
    """A user's contacts are the users who share a conversation with them now."""

    def __init__(self, contacts: ContactStore) -> None:
        self._contacts = contacts

    async def among(self, request: Request) -> Any:
        """Returns {"user_ids": those of the given users who are contacts of the caller}."""
        user_ids = reports.CONTACTS_AMONG.load(request.body)["user_ids"]
        return {"user_ids": await self._contacts.among(request.user_id, user_ids)}

    async def page(self, request: Request) -> Any:
        """Returns {"user_ids": a page of the caller's contacts, by id}. The caller may be among them."""
        body = reports.CONTACTS_PAGE.load(request.body)
        return {"user_ids": await self._contacts.page(request.user_id, body["after"], body["limit"])}
