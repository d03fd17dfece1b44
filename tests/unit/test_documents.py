"""The published documents are valid, complete, and strict enough to catch any drift."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from gateway.edge.documents.asyncapi import asyncapi
from gateway.edge.documents.openapi import openapi
from messenger_shared.contract import errors, events
from messenger_shared.contract.close_codes import Close
from messenger_shared.contract.operations.operation import Operation, Respond, Route
from messenger_shared.contract.operations.table import TABLE
from messenger_shared.contract.schemas.answers import ANSWERS
from messenger_shared.contract.schemas.fields import ContentField
from messenger_shared.contract.schemas.frames import EVENTS
from messenger_shared.contract.schemas.resources import AnySchema, EmptySchema
from tests.documented import BASE_PATH, Undocumented, check_close, check_frame, check_response

SOME_ID = "0198c5a2-0000-7000-8000-000000000000"
NOW = "2025-11-26T10:30:00.000Z"
ROUTED = [(operation, operation.route) for operation in TABLE.values() if operation.route is not None]
COMMANDS = [(operation, operation.command) for operation in TABLE.values() if operation.command is not None]
REST = openapi(TABLE, BASE_PATH, "1.2.3")
SOCKET = asyncapi(TABLE, BASE_PATH, "1.2.3")


def named(rows: list[Any]) -> list[Any]:
    return [pytest.param(*row, id=row[0].name) for row in rows]


def test_openapi_json_is_an_openapi_document() -> None:
    validate(REST)


def references(node: Any) -> Iterator[str]:
    """Yields every `$ref` in the document, at any depth."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@pytest.mark.parametrize("document", [REST, SOCKET], ids=["openapi", "asyncapi"])
def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert found
    for reference in found:
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


@pytest.mark.parametrize("document", [REST, SOCKET], ids=["openapi", "asyncapi"])
def test_a_document_is_json_and_leaves_room_for_what_comes(document: dict[str, Any]) -> None:
    assert json.loads(json.dumps(document)) == document
    assert '"additionalProperties": false' not in json.dumps(document)


@pytest.mark.parametrize(("operation", "route"), named(ROUTED))
def test_every_route_is_described_with_all_its_answers(operation: Operation, route: Route) -> None:
    described = REST["paths"][route.path][route.method.lower()]
    assert described["operationId"] == operation.name
    assert described["summary"]
    answers = set(described["responses"])
    assert {str(status) for status in route.respond.statuses} < answers
    assert {str(kind.status) for kind in operation.errors} < answers
    if set(operation.request.fields) - {"conversation_id"}:
        assert "422" in answers
    if set(route.respond.statuses) != {204}:
        assert not isinstance(operation.answer, EmptySchema | AnySchema)


def test_no_two_operations_share_an_id() -> None:
    ids = [described["operationId"] for path in REST["paths"].values() for described in path.values()]
    for_hosts = [
        operation.name if operation.route is None else f"server.{operation.name}"
        for operation in TABLE.values()
        if operation.server is not None
    ]
    assert sorted(ids) == sorted([*(operation.name for operation, _ in ROUTED), *for_hosts])


def test_a_route_without_declared_answers_is_refused() -> None:
    def forgotten(answer: Any) -> tuple[int, Any]:
        return 200, answer

    operation = TABLE["conversation.get"]
    route = Route("GET", "/x/{conversation_id}", forgotten)  # type: ignore[arg-type]
    broken = Operation("x", operation.service, operation.request, operation.answer, route=route)
    with pytest.raises(AttributeError):
        openapi({"x": broken}, BASE_PATH, "0")
    assert all(isinstance(route.respond, Respond) for _, route in ROUTED)


@pytest.mark.parametrize(("operation", "_door"), named(ROUTED + COMMANDS))
def test_an_operation_declares_what_a_wrong_field_gives(operation: Operation, _door: object) -> None:
    fields = operation.request.fields
    if "conversation_id" in fields:
        assert errors.INVALID_CONVERSATION_ID in operation.errors
    if any(isinstance(field, ContentField) for field in fields.values()):
        assert errors.MESSAGE_TOO_LONG in operation.errors


@pytest.mark.parametrize(("operation", "_door"), named(COMMANDS))
def test_every_command_is_described_with_its_answer(operation: Operation, _door: object) -> None:
    described = SOCKET["operations"][operation.name]
    command = operation.command
    assert command is not None
    asked = {f"#/channels/socket/messages/command.{type_}" for type_ in command.types}
    assert {message["$ref"] for message in described["messages"]} == asked
    answered = described["reply"]["messages"][0]["$ref"]
    assert answered == f"#/channels/socket/messages/answer.{command.success}"
    assert described["summary"]


def test_every_event_and_every_close_is_described() -> None:
    sent = {value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}
    assert sent <= set(EVENTS)
    assert {command.success for _, command in COMMANDS} == set(ANSWERS)
    closes = SOCKET["channels"]["socket"]["x-close-codes"]
    assert {str(int(code)) for code in Close} < set(closes)


def test_what_makes_a_thing_leads_to_what_can_be_done_with_it() -> None:
    created = REST["paths"]["/conversations"]["post"]["responses"]["201"]["links"]
    assert created["message.send"]["parameters"] == {"conversation_id": "$response.body#/id"}
    sent = REST["paths"]["/conversations/{conversation_id}/messages"]["post"]["responses"]["200"]["links"]
    assert set(sent) >= {"message.edit", "message.delete", "message.readers"}


def settings(**changes: Any) -> dict[str, Any]:
    settings = {"muted": False, "muted_until": None, "push_enabled": True, "email_enabled": True}
    return {**settings, "notify": "all", **changes}


JSON = {"Content-Type": "application/json; charset=utf-8"}
PATH = f"/conversations/{SOME_ID}/settings"


def test_an_answer_as_documented_passes() -> None:
    check_response("GET", PATH, 200, JSON, settings(muted_until=NOW))
    check_response("DELETE", f"/conversations/{SOME_ID}", 204, {}, None)


PROBLEM = {"type": "about:blank", "title": "x", "status": 404, "code": "not_found", "retryable": False}


@pytest.mark.parametrize(
    ("method", "status", "content_type", "body"),
    [
        ("GET", 200, "application/json", settings(muted=None)),
        ("GET", 200, "application/json", settings(extra=1)),
        ("GET", 200, "application/json", settings(muted_until="yesterday")),
        ("GET", 200, "application/json", {"muted": True}),
        ("GET", 200, "application/json", None),
        ("GET", 200, "text/plain", settings()),
        ("GET", 201, "application/json", settings()),
        ("GET", 204, "application/json", None),
        ("GET", 404, "application/json", PROBLEM),
        ("GET", 404, "application/problem+json", {**PROBLEM, "code": "forbidden"}),
        ("GET", 404, "application/problem+json", {**PROBLEM, "cause": "a traceback"}),
        ("GET", 503, "application/problem+json", {**PROBLEM, "status": 503, "code": "unavailable"}),
        ("GET", 418, "application/problem+json", PROBLEM),
        ("POST", 200, "application/json", settings()),
    ],
)
def test_an_answer_that_is_in_no_document_is_caught(
    method: str, status: int, content_type: str, body: Any
) -> None:
    with pytest.raises(Undocumented):
        check_response(method, PATH, status, {"Content-Type": content_type}, body)


READ = {
    "conversation_id": SOME_ID,
    "unread": 1,
    "unread_mentions": 0,
    "read_seq": 2,
    "last_seq": 3,
    "marked_unread_from": None,
}


def test_a_frame_as_documented_passes() -> None:
    check_frame({"type": "unread.updated", **READ})
    check_frame({"type": "message.deleted", "message_id": SOME_ID, "conversation_id": SOME_ID, "ref": "r"})
    check_frame({"type": "pong", "ts": {"any": ["thing"]}, "timestamp": NOW})
    check_close(4001)


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"type": "unread.changed", **READ},
        {"type": "unread.updated", **READ, "ref": "r"},
        {"type": "unread.updated", **READ, "unread": -1},
        {"type": "unread.updated", "conversation_id": SOME_ID},
        {"type": "message.deleted", "message_id": SOME_ID, "conversation_id": SOME_ID},
        {"type": "typing.ok", "conversation_id": SOME_ID},
        {"type": "error", "message": "x", "code": "no_such_code", "retryable": True},
    ],
)
def test_a_frame_that_is_in_no_document_is_caught(frame: dict[str, Any]) -> None:
    with pytest.raises(Undocumented):
        check_frame(frame)


def test_a_close_that_is_in_no_document_is_caught() -> None:
    with pytest.raises(Undocumented):
        check_close(4999)
