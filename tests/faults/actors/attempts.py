"""Single attempts: one request over a socket or REST, and its outcome."""

from __future__ import annotations

from tests.faults.actors.connection import Connection
from tests.faults.actors.device import Device
from tests.faults.actors.repetition import Outcome
from tests.faults.record.events import Frame
from tests.faults.record.history import Annotation, Change, Send


async def send_by_socket(connection: Connection, send: Send) -> Outcome:
    """Sends a message through an open socket."""
    if not send.unknown and send.position is None:
        send.position = connection.position()
    key = send.key.client_message_id
    return Outcome.of_frame(
        await connection.request(
            "message.send", conversation_id=send.room, client_message_id=key, **_text(send)
        )
    )


async def send_by_rest(device: Device, send: Send) -> Outcome:
    """Sends a message over REST, with the message's id as the Idempotency-Key."""
    path, key = f"/conversations/{send.room}/messages", send.key.client_message_id
    return Outcome.of_reply(await device.gateway.call("POST", path, device.token, _text(send), key))


def _text(send: Send) -> Frame:
    return {
        "content": send.content,
        "mentions": {"user_ids": send.mentions} if send.mentions else None,
        "attachments": [send.file_id] if send.file_id else None,
    }


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


async def annotate_by_socket(connection: Connection, annotation: Annotation) -> Outcome:
    """Sets or removes a reaction or a pin through a socket."""
    message_id, on = annotation.message_id, annotation.on
    if annotation.emoji is None:
        command = "message.pin" if on else "message.unpin"
        return Outcome.of_frame(await connection.request(command, message_id=message_id))
    return Outcome.of_frame(
        await connection.request("reaction.set", message_id=message_id, emoji=annotation.emoji, on=on)
    )


async def annotate_by_rest(device: Device, annotation: Annotation) -> Outcome:
    """Sets or removes a reaction or a pin over REST."""
    what = "pin" if annotation.emoji is None else f"reactions/{annotation.emoji}"
    method = "PUT" if annotation.on else "DELETE"
    path = f"/messages/{annotation.message_id}/{what}"
    return Outcome.of_reply(await device.gateway.call(method, path, device.token))


async def read_by_socket(connection: Connection, message_id: str) -> Outcome:
    """Marks everything up to this message as read."""
    return Outcome.of_frame(await connection.request("message.read", message_id=message_id))
