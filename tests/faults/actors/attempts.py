"""Single attempts: one request over a socket or REST, and its outcome."""

from __future__ import annotations

from tests.faults.actors.connection import Connection
from tests.faults.actors.device import Device
from tests.faults.actors.repetition import Outcome
from tests.faults.record.history import Change, Send


async def send_by_socket(connection: Connection, send: Send) -> Outcome:
    """Sends a message through an open socket."""
    if not send.unknown and send.position is None:
        send.position = connection.position()
    key = send.key.client_message_id
    return Outcome.of_frame(
        await connection.request(
            "message.send", conversation_id=send.room, content=send.content, client_message_id=key
        )
    )


async def send_by_rest(device: Device, send: Send) -> Outcome:
    """Sends a message over REST, with the message's id as the Idempotency-Key."""
    path, body = f"/conversations/{send.room}/messages", {"content": send.content}
    key = send.key.client_message_id
    return Outcome.of_reply(await device.gateway.call("POST", path, device.token, body, key))


async def change_by_socket(connection: Connection, change: Change) -> Outcome:
    """Edits or deletes a message through a socket."""
    if change.content is None:
        return Outcome.of_frame(await connection.request("message.delete", message_id=change.message_id))
    fields = {"message_id": change.message_id, "content": change.content}
    return Outcome.of_frame(await connection.request("message.edit", **fields))


async def change_by_rest(device: Device, change: Change) -> Outcome:
    """Edits or deletes a message over REST."""
    path = f"/messages/{change.message_id}"
    if change.content is None:
        return Outcome.of_reply(await device.gateway.call("DELETE", path, device.token))
    return Outcome.of_reply(await device.gateway.call("PUT", path, device.token, {"content": change.content}))


async def read_by_socket(connection: Connection, message_id: str) -> Outcome:
    """Marks everything up to this message as read."""
    return Outcome.of_frame(await connection.request("message.read", message_id=message_id))
