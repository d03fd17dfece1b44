"""Owns single attempts: one command through one door, and what it told."""

from __future__ import annotations

from tests.faults.asking import Outcome
from tests.faults.device import Device
from tests.faults.history import Change, Send
from tests.faults.line import Line


async def send_by_socket(line: Line, send: Send) -> Outcome:
    """Through an open socket."""
    if not send.unknown and send.lane is None:
        send.lane = line.lane()
    key = send.key.client_message_id
    return Outcome.of_frame(
        await line.request(
            "message.send", conversation_id=send.room, content=send.content, client_message_id=key
        )
    )


async def send_by_rest(device: Device, send: Send) -> Outcome:
    """Over REST, where the id is the Idempotency-Key."""
    path, body = f"/conversations/{send.room}/messages", {"content": send.content}
    key = send.key.client_message_id
    return Outcome.of_reply(await device.door.call("POST", path, device.token, body, key))


async def change_by_socket(line: Line, change: Change) -> Outcome:
    """An edit or a deletion."""
    if change.content is None:
        return Outcome.of_frame(await line.request("message.delete", message_id=change.message_id))
    fields = {"message_id": change.message_id, "content": change.content}
    return Outcome.of_frame(await line.request("message.edit", **fields))


async def change_by_rest(device: Device, change: Change) -> Outcome:
    """An edit or a deletion."""
    path = f"/messages/{change.message_id}"
    if change.content is None:
        return Outcome.of_reply(await device.door.call("DELETE", path, device.token))
    return Outcome.of_reply(await device.door.call("PUT", path, device.token, {"content": change.content}))


async def read_by_socket(line: Line, message_id: str) -> Outcome:
    """Everything up to a message is read."""
    return Outcome.of_frame(await line.request("message.read", message_id=message_id))
