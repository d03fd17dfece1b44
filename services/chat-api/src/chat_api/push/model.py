"""Devices, pushes to them, and what became of a push."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

Kind = Literal["message", "read", "test"]
Urgency = Literal["low", "normal", "high"]
# `gone`: the device can never be reached again. `failed`: trying again wouldn't help.
Status = Literal["sent", "gone", "retry", "failed"]


class Device(NamedTuple):
    """A device: `kind` names the channel, `endpoint` is its address. Keys are None without encryption."""

    id: int
    kind: str
    endpoint: str
    key_id: int | None
    p256dh: str | None
    auth: str | None


class Push(NamedTuple):
    """What is pushed to one device.

    A push service keeps one push of a `topic` for a device that is away, and none for longer than `ttl_s`.
    """

    payload: Mapping[str, Any]
    topic: str | None
    urgency: Urgency
    ttl_s: int


class Result(NamedTuple):
    """What became of a push. `failure` says why it failed; `retry_after_s` is what the service asked for."""

    status: Status
    failure: str = ""
    retry_after_s: float | None = None


class Channel(Protocol):
    """Sends pushes to devices of one kind. Other kinds than `webpush` are further implementations."""

    async def send(self, device: Device, push: Push) -> Result:
        """Sends one push, within ten seconds. It doesn't raise: what goes wrong is a Result."""


class StoredDevice(NamedTuple):
    """A device as its user sees it."""

    application_server_key: str | None
    created_at: str


class QuietHours(NamedTuple):
    """Daily hours without pushes: times as HH:MM, and the name of a time zone."""

    start: str
    end: str
    timezone: str


class KeyUse(NamedTuple):
    """A VAPID key, and how many devices use it."""

    public_key: str
    created_at: str
    devices: int


class Decision(NamedTuple):
    """What was decided about a message for a user: the rules that stand out (see rules)."""

    decided_at: str
    rules: list[str]
