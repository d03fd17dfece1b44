"""The operation table is complete, free of conflicts, and strict about what it accepts."""

from typing import Any

import pytest

from chat_api.handlers.table import (
    file_handler_table,
    handler_table,
    push_handler_table,
    reaction_handler_table,
    user_handler_table,
    webhook_handler_table,
)
from gateway.auth.tickets import Tickets
from gateway.edge.server_events import ServerEvents
from gateway.edge.server_users import ServerUsers
from gateway.files.operations import FileOperations
from gateway.sockets.presence_commands import PresenceCommands
from gateway.sockets.socket_commands import SocketCommands
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.operation import CHAT_API, GATEWAY
from messenger_shared.contract.operations.table import TABLE
from messenger_shared.contract.schemas.fields import CONTENT_CHARS, QueryText

SOME_ID = "cbd7dc24-180f-41df-99ea-9819ceca9957"


class Anything:
    """Stands for collaborators that are only stored."""

    def __getattr__(self, name: str) -> Any:
        return name


def test_every_operation_of_chat_api_has_a_handler_and_no_other() -> None:
    some: Any = Anything()
    handlers = handler_table(*[some] * 7) | user_handler_table(*[some] * 5)
    handlers |= reaction_handler_table(some, some) | file_handler_table(some) | push_handler_table(some)
    handlers |= webhook_handler_table(some, some)
    assert set(handlers) == {o.name for o in TABLE.values() if o.service == CHAT_API}


def test_every_operation_of_the_gateway_has_a_handler_and_no_other() -> None:
    some: Any = Anything()
    own = SocketCommands(*[some] * 7).handlers | PresenceCommands(*[some] * 3).handlers
    own |= FileOperations(*[some] * 5).handlers
    handlers = {**own, **Tickets(some, some).handlers, **ServerUsers(*[some] * 4).handlers}
    handlers |= ServerEvents(some, some).handlers
    assert set(handlers) == {o.name for o in TABLE.values() if o.service == GATEWAY}


def test_no_two_operations_share_a_route_or_a_frame_type() -> None:
    routes = [(o.route.method, o.route.path) for o in TABLE.values() if o.route]
    server_routes = [(o.server.method, o.server.path) for o in TABLE.values() if o.server]
    assert len(set(server_routes)) == len(server_routes)
    types = [type_ for o in TABLE.values() if o.command for type_ in o.command.types]
    assert len(set(routes)) == len(routes)
    assert len(set(types)) == len(types)


def send(**fields: Any) -> dict[str, Any]:
    return TABLE["message.send"].load({"conversation_id": SOME_ID, "content": "hi", **fields})


@pytest.mark.parametrize("value", [None, 5, True, "", "x", SOME_ID.replace("-", ""), "{" + SOME_ID + "}", []])
def test_a_bad_conversation_id_has_the_seeds_error(value: object) -> None:
    with pytest.raises(AppError) as caught:
        send(conversation_id=value)
    assert caught.value.to_wire()["message"] == "Invalid conversation_id format"


def test_an_upper_case_id_is_the_same_id() -> None:
    assert send(conversation_id=SOME_ID.upper())["conversation_id"] == SOME_ID


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("content", ""),
        ("content", " \n\t"),
        ("content", None),
        ("content", 5),
        ("content", {"$gt": ""}),
        ("message_type", "system"),
        ("message_type", "video"),
        ("client_message_id", ""),
        ("client_message_id", "x" * 65),
        ("client_message_id", 7),
        ("reply_to", "x"),
        ("file_url", "ftp://example.org/a"),
        ("file_url", "javascript:alert(1)"),
        ("file_url", "http://example.org/" + "a" * 2_048),
        ("file_name", "x" * 256),
        ("file_size", -1),
        ("file_size", True),
        ("file_size", 1.5),
        ("file_size", 2**53),
    ],
)
def test_a_bad_field_is_named(field: str, value: object) -> None:
    with pytest.raises(AppError) as caught:
        send(**{field: value})
    assert caught.value.kind.code == "invalid_frame"
    assert list(caught.value.details or {}) == [field]


def test_content_is_counted_in_code_points() -> None:
    assert len(send(content="😀" * CONTENT_CHARS)["content"]) == CONTENT_CHARS
    with pytest.raises(AppError) as caught:
        send(content="a" * (CONTENT_CHARS + 1))
    assert caught.value.kind.code == "message_too_long"


def test_unknown_fields_are_ignored() -> None:
    body = send(sender_id=9, seq=1, id=SOME_ID)
    assert not {"sender_id", "seq", "id"} & set(body)


@pytest.mark.parametrize("limit", ["0", "-1", "101", "10abc", "1e9", "", "٣", "9" * 30])
def test_a_limit_from_a_url_is_checked(limit: str) -> None:
    with pytest.raises(AppError):
        TABLE["conversation.list"].load({"limit": QueryText(limit)})


def test_digits_in_a_json_body_are_no_number() -> None:
    with pytest.raises(AppError):
        TABLE["conversation.create"].load({"type": "group", "title": "x", "participant_ids": ["2"]})
