"""The channel to browsers: encrypts pushes, and posts them to the push services that the browsers use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from chat_api.outgoing.client import OutgoingClient, OutgoingError
from chat_api.outgoing.retry_after import retry_after_s
from chat_api.push.aes128gcm import encrypt
from chat_api.push.model import Device, Push, Result
from chat_api.push.ports import PushKeyStore
from chat_api.push.vapid import Vapid
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.schemas.push import decoded

TIMEOUT_S: Final = 10.0
# Another service may ask for a longer pause; the push ends before that.
_RETRY_AFTER_MAX_S: Final = 86_400.0
_GONE: Final = (404, 410)
_TOO_MANY: Final = 429
# Failures of which nothing is known but that they may pass.
_PASSING: Final = frozenset(("dns", "connect", "tls", "timeout", "protocol", "too_busy"))


class WebPush:
    """A Channel by RFC 8030. `contact` is told to push services, so that they can write to the operator."""

    def __init__(self, client: OutgoingClient, keys: PushKeyStore, contact: str) -> None:
        self._client = client
        self._keys = keys
        self._contact = contact
        self._by_id: dict[int, Vapid] = {}

    async def send(self, device: Device, push: Push) -> Result:
        """Posts the push."""
        try:
            vapid = await self._vapid(device.key_id)
        except AppError:
            return Result("retry", "keys_unavailable")
        if vapid is None:
            return Result("failed", "no_key")
        headers = {
            "Authorization": vapid.authorization(device.endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(push.ttl_s),
            "Urgency": push.urgency,
        }
        if push.topic is not None:
            headers["Topic"] = push.topic
        try:
            answer = await self._client.post(
                device.endpoint, _body(device, push), headers, timeout_s=TIMEOUT_S, body_bytes=0
            )
        except OutgoingError as error:
            return Result("retry" if error.failure in _PASSING else "failed", error.failure)
        return result_of(answer.status, answer.headers)

    async def _vapid(self, key_id: int | None) -> Vapid | None:
        """What signs with this key. A key that was made lately is read now."""
        if key_id is None:
            return None
        if key_id not in self._by_id:
            pairs = await self._keys.pairs()
            self._by_id = {id_: Vapid(pair, self._contact) for id_, pair in pairs.items()}
        return self._by_id.get(key_id)


def result_of(status: int, headers: Mapping[str, str]) -> Result:
    """What a push service's answer means. The names of headers are in lower case."""
    if 200 <= status < 300:
        return Result("sent")
    if status in _GONE:
        return Result("gone")
    if status == _TOO_MANY or status >= 500:
        return Result("retry", str(status), retry_after_s(headers, _RETRY_AFTER_MAX_S))
    return Result("failed", str(status))


def _body(device: Device, push: Push) -> bytes:
    p256dh, auth = decoded(device.p256dh or ""), decoded(device.auth or "")
    return encrypt(orjson.dumps(push.payload), p256dh or b"", auth or b"")
