"""Handles the operations on push: devices, keys, settings, and traces of decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chat_api.ports import MessageStore
from chat_api.push.model import Decision, QuietHours
from chat_api.push.ports import PushKeyStore, PushStore
from chat_api.push.rules import DELAY_S, Facts, restored, skipped_by, verdicts
from chat_api.push.vapid import public_key_of
from chat_api.rules.messages import require_visible
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.contract.schemas.push import NOT_A_PUSH_KEY, WEBPUSH, decoded
from messenger_shared.rpc.messages import Request

# For so long a decision that is due may take.
_DECIDING_S: Final = 2.0
_NO_ADAPTER: Final = "Only webpush."
_UNKNOWN_KEY: Final = "Not a key of this server (any more). Subscribe anew, with the present one."


class PushHandlers:
    """Devices of the caller, the key to subscribe with, and why a message was pushed or not.

    `check_url` raises ValueError for an address that isn't called, with a text for whoever gave it.
    """

    def __init__(
        self,
        store: PushStore,
        keys: PushKeyStore,
        messages: MessageStore,
        check_url: Callable[[str], object],
        *,
        takes_all_kinds: bool,
    ) -> None:
        self._store = store
        self._keys = keys
        self._messages = messages
        self._check_url = check_url
        self._takes_all_kinds = takes_all_kinds

    async def subscribe(self, request: Request) -> Any:
        """Stores a device, and returns it."""
        body, keys = request.body, request.body["keys"]
        kind, endpoint, wanted = body["kind"], body["endpoint"], body["application_server_key"]
        if kind == WEBPUSH:
            self._check_browser(endpoint, keys)
            # So that there is a key that the device can be stored with.
            await self._keys.current()
        elif not self._takes_all_kinds:
            raise AppError(errors.INVALID_FRAME, details={"kind": [_NO_ADAPTER]})
        pair = (keys["p256dh"], keys["auth"]) if keys is not None else None
        stored = await self._store.subscribe(request.user_id, kind, endpoint, pair, wanted)
        if stored is None:
            raise AppError(errors.INVALID_FRAME, details={"application_server_key": [_UNKNOWN_KEY]})
        return {"kind": kind, "endpoint": endpoint, **stored._asdict()}

    async def unsubscribe(self, request: Request) -> Any:
        """Removes a device."""
        await self._store.unsubscribe(request.user_id, request.body["endpoint"])
        return {}

    async def key(self, request: Request) -> Any:
        """Returns the key to subscribe with."""
        return {"public_key": await self._keys.current()}

    async def test(self, request: Request) -> Any:
        """Queues a test for the caller's devices. Raises AppError(not_found) if there are none."""
        devices = await self._store.queue_test(request.user_id)
        if not devices:
            raise AppError(errors.NOT_FOUND)
        return {"subscriptions": devices}

    async def settings(self, request: Request) -> Any:
        """Returns the caller's settings."""
        hours = await self._store.quiet_hours(request.user_id)
        return {"quiet_hours": hours and hours._asdict()}

    async def update_settings(self, request: Request) -> Any:
        """Changes the caller's settings, and returns them."""
        wanted = request.body["quiet_hours"]
        await self._store.set_quiet_hours(request.user_id, QuietHours(**wanted) if wanted else None)
        return await self.settings(request)

    async def trace(self, request: Request) -> Any:
        """Returns what each rule said about a message and the caller, or with a server key any user."""
        caller, user_id = request.user_id, request.body["user_id"]
        if user_id is None and caller == SERVER:
            raise AppError(errors.INVALID_FRAME, details={"user_id": ["Missing data for required field."]})
        of = require_visible(await self._messages.facts(request.body["message_id"], caller))
        if caller != SERVER and user_id not in (None, caller):
            raise AppError(errors.FORBIDDEN)
        subject = user_id if user_id is not None else caller
        facts = await self._store.facts(caller, of.conversation_id, of.seq, subject)
        if facts is None:
            raise AppError(errors.NOT_FOUND)
        decision = await self._store.decision(caller, of.conversation_id, of.seq, subject)
        return {"message_id": request.body["message_id"], "user_id": subject, **_told(facts, decision)}

    async def list_keys(self, request: Request) -> Any:
        """Returns all VAPID keys, the newest first."""
        return {"items": [use._asdict() for use in await self._keys.uses()]}

    async def rotate_keys(self, request: Request) -> Any:
        """Makes a new pair of VAPID keys. A repeated request makes another one, which does no harm."""
        return {"public_key": await self._keys.rotate()}

    def _check_browser(self, endpoint: str, keys: dict[str, str]) -> None:
        try:
            self._check_url(endpoint)
        except ValueError as error:
            raise AppError(errors.BAD_ENDPOINT, details={"endpoint": [str(error)]}) from None
        try:
            public_key_of(decoded(keys["p256dh"]) or b"")
        except ValueError:
            details = {"keys": [f"p256dh: {NOT_A_PUSH_KEY}"]}
            raise AppError(errors.BAD_ENDPOINT, details=details) from None


def _told(facts: Facts, decision: Decision | None) -> dict[str, Any]:
    if decision is not None:
        rules = restored(decision.rules)
        outcome = "pushed" if skipped_by(rules) is None else "skipped"
    else:
        rules = verdicts(facts)
        outcome = "waiting" if facts.age_s < DELAY_S + _DECIDING_S else "undecided"
    return {
        "outcome": outcome,
        "decided_at": decision and decision.decided_at,
        "rules": [{"rule": name, "verdict": verdict} for name, verdict in rules.items()],
    }
