"""Makes asyncapi.json: every frame that a socket takes or sends, and how a socket may end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from marshmallow import Schema

from gateway.edge.documents.shapes import Json, Shapes, description
from messenger_shared.contract.close_codes import Close
from messenger_shared.contract.operations.operation import Command, Operation
from messenger_shared.contract.schemas.answers import ANSWERS, ERROR, ErrorFrame
from messenger_shared.contract.schemas.fields import MAX_REF_CHARS
from messenger_shared.contract.schemas.frames import EVENTS, SYSTEM, SYSTEM_EVENTS

ASYNCAPI_VERSION: Final = "3.0.0"
CHANNEL: Final = "socket"
_REF: Final[Json] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_REF_CHARS,
    "description": "Chosen by the client. Exactly one frame answers the command, with the same `ref`.",
}
# Standard close codes (RFC 6455) that `Close` doesn't have.
_STANDARD_CLOSES: Final[Mapping[int, str]] = {
    1003: "unsupported_data",
    1007: "invalid_text",
    1009: "frame_too_large",
}
# Frames that no command asked for: name of the message -> (type, schema of the other fields).
_EVENTS: Final = {f"event.{type_}": (type_, schema) for type_, schema in EVENTS.items()} | {
    f"event.{SYSTEM}.{event}": (SYSTEM, schema) for event, schema in SYSTEM_EVENTS.items()
}
_ABOUT: Final = (
    "The WebSocket of the messenger; `openapi.json` describes REST. Frames are JSON objects with a `type`. "
    "The server ignores fields that are not listed here, and later versions may add fields to its frames."
)


def asyncapi(table: Mapping[str, Operation], base_path: str, version: str) -> Json:
    """The document of the commands in `table`, their answers, and the events."""
    shapes = Shapes()
    commands = [(operation, operation.command) for operation in table.values() if operation.command]
    messages = _messages(shapes, commands)
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {"title": "Messenger", "version": version, "description": _ABOUT},
        "defaultContentType": "application/json",
        "servers": {"gateway": _server(base_path)},
        "channels": {CHANNEL: _channel(messages)},
        "operations": _operations(commands),
        "components": {
            "messages": messages,
            "schemas": shapes.components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _server(base_path: str) -> Json:
    return {
        "host": "{host}",
        "protocol": "wss",
        "pathname": base_path,
        "variables": {"host": {"default": "localhost", "description": "The host of the gateway."}},
        "security": [{"$ref": "#/components/securitySchemes/bearer"}],
    }


def _channel(messages: Json) -> Json:
    query = {
        "token": {"type": "string", "description": "The JWT."},
        "ticket": {
            "type": "string",
            "description": "A one-time ticket from `POST /ws-ticket`, instead of the token.",
        },
    }
    return {
        "address": "/ws",
        "description": (
            "Also at `/ws/{user_id}`, where `user_id` must be the token's user. The client sends the token "
            "in `Authorization: Bearer`, as `bearer.<jwt>` beside `messenger.v1` in `Sec-WebSocket-Protocol` "
            "or in the query. The close reason of 1008 and of all codes from 4000 on is a JSON object with "
            "`code` and sometimes `retry_after_ms`. The client should reconnect after 4000 to 4499, and not "
            "from 4500 on."
        ),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {"type": "object", "properties": query},
                "bindingVersion": "0.1.0",
            }
        },
        "x-close-codes": {
            **{str(code): name for code, name in _STANDARD_CLOSES.items()},
            **{str(int(code)): code.name.lower() for code in Close},
        },
    }


def _messages(shapes: Shapes, commands: list[tuple[Operation, Command]]) -> Json:
    found: Json = {}
    optional = {type_: command.answers_without_ref for _, command in commands for type_ in (command.success,)}
    for operation, command in commands:
        for type_ in command.types:
            payload = _payload(shapes, type_, operation.request, ref=True)
            found[f"command.{type_}"] = _message(type_, operation.summary, payload)
    for type_, always in optional.items():
        payload = _payload(shapes, type_, ANSWERS[type_], ref=True, ref_required=not always)
        found[f"answer.{type_}"] = _message(type_, description(ANSWERS[type_]), payload)
    for name, (type_, schema) in _EVENTS.items():
        payload = _payload(shapes, type_, schema, ref=False)
        found[name] = _message(type_, description(schema), payload)
    failure = _payload(shapes, ERROR, ErrorFrame(), ref=True)
    found[ERROR] = _message(ERROR, description(ErrorFrame), failure)
    return found


def _message(type_: str, summary: str, payload: Json) -> Json:
    found = {"name": type_, "summary": summary, "payload": payload}
    if "ref" in payload["properties"]:
        found["correlationId"] = {"location": "$message.payload#/ref"}
    return found


def _payload(shapes: Shapes, type_: str, schema: Schema, *, ref: bool, ref_required: bool = False) -> Json:
    inline = shapes.inline(schema)
    properties = {"type": {"const": type_}, **inline["properties"]}
    required = ["type", *inline.get("required", ())]
    if ref:
        properties["ref"] = _REF
    if ref_required:
        required.append("ref")
    return {**inline, "properties": properties, "required": required}


def _operations(commands: list[tuple[Operation, Command]]) -> Json:
    found: Json = {}
    for operation, command in commands:
        found[operation.name] = {
            "action": "receive",
            "summary": operation.summary,
            "channel": {"$ref": f"#/channels/{CHANNEL}"},
            "messages": [_message_reference(f"command.{type_}") for type_ in command.types],
            "reply": {
                "channel": {"$ref": f"#/channels/{CHANNEL}"},
                "messages": [_message_reference(f"answer.{command.success}"), _message_reference(ERROR)],
            },
        }
    found["events"] = {
        "action": "send",
        "summary": "Events",
        "channel": {"$ref": f"#/channels/{CHANNEL}"},
        "messages": [*map(_message_reference, _EVENTS), _message_reference(ERROR)],
    }
    return found


def _message_reference(message: str) -> Json:
    return {"$ref": f"#/channels/{CHANNEL}/messages/{message}"}
