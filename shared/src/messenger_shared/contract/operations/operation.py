"""Defines an operation: its name, service and schemas, and how clients reach it by REST or socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from marshmallow import Schema, ValidationError

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError, ErrorKind
from messenger_shared.contract.schemas.fields import NOT_AN_EMOJI, TOO_LONG, TOO_SHORT
from messenger_shared.contract.schemas.push import NOT_A_PUSH_KEY
from messenger_shared.contract.schemas.quick_checks import QuickCheck, quick_check

GATEWAY: Final = "gateway"
CHAT_API: Final = "chat-api"
PRESENCE: Final = "presence"
FEED: Final = "feed"

# Requests with these methods have their fields in the body, others in the query.
BODY_METHODS: Final = ("POST", "PUT", "PATCH")

# All routes for host applications begin with this, after the base path.
SERVER_PREFIX: Final = "/server"
# The field of a request with a server key: [the key's id, the operation that the host asked for].
KEY_FIELD: Final = "server_key_id"

# The errors of every operation on one conversation.
ON_CONVERSATION: Final = (errors.INVALID_CONVERSATION_ID, errors.NOT_FOUND, errors.NOT_MEMBER)

# Problems of fields that have an error of their own.
_KIND_OF_TEXT: Final[Mapping[str, ErrorKind]] = {
    TOO_LONG: errors.MESSAGE_TOO_LONG,
    NOT_AN_EMOJI: errors.BAD_EMOJI,
    TOO_SHORT: errors.QUERY_TOO_SHORT,
    NOT_A_PUSH_KEY: errors.BAD_ENDPOINT,
}

Body = dict[str, Any]
Frame = Callable[[Body, Any], Body]


@dataclass(frozen=True, slots=True)
class Respond:
    """Makes a REST response from a service's answer: one of `statuses`, and a body or None."""

    statuses: tuple[int, ...]
    make: Callable[[Any], tuple[int, Any]]

    def __call__(self, answer: Any) -> tuple[int, Any]:
        return self.make(answer)


def responds(*statuses: int) -> Callable[[Callable[[Any], tuple[int, Any]]], Respond]:
    """Decorates a function that makes a response with all statuses that it may return."""
    return lambda make: Respond(statuses, make)


@dataclass(frozen=True, slots=True)
class Route:
    """The REST route. Path parameters, query and JSON body together make the request."""

    method: str
    path: str
    respond: Respond
    # Request header -> the field of the request that it sets.
    headers: Mapping[str, str] = field(default_factory=dict)
    # Whether the body has the fields although the method is none of BODY_METHODS.
    takes_body: bool = False


@dataclass(frozen=True, slots=True)
class ServerRoute:
    """The route for a host application, below `/server`. Its key needs one of `scopes`."""

    method: str
    path: str
    respond: Respond
    scopes: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """The socket command: the frame types that ask for the operation, and the type of the success frame.

    `frame` makes the success frame's fields from the request and the service's answer; None takes the answer
    as it is. With `answers_without_ref`, the success frame is sent also if the command had no `ref`.
    """

    types: tuple[str, ...]
    success: str
    frame: Frame | None = None
    answers_without_ref: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the operation table.

    `answer` is the schema of the REST body; success frames have theirs in `schemas/answers`. `summary` is for
    the published documents. `key` names the field that picks the worker; "" is the caller. `new_id` names the
    field that the gateway fills with a new id, by which the service recognises a repeated request.
    """

    name: str
    service: str
    request: Schema
    answer: Schema
    key: str = ""
    new_id: str = ""
    route: Route | None = None
    command: Command | None = None
    server: ServerRoute | None = None
    errors: tuple[ErrorKind, ...] = ()
    summary: str = ""
    _quick_check: QuickCheck | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_quick_check", quick_check(self.request))

    @property
    def has_body(self) -> bool:
        """Whether its routes read a body. A request whose fields are all in the path needs none."""
        route = self.route or self.server
        takes_body = isinstance(route, Route) and route.takes_body
        if route is None or not (takes_body or route.method in BODY_METHODS):
            return False
        return any(f"{{{name}}}" not in route.path for name in self.request.fields)

    def load(self, fields: Mapping[str, Any]) -> Body:
        """Validates `fields`; returns the request. Raises AppError."""
        if self._quick_check is not None and (valid := self._quick_check.load(fields)) is not None:
            return valid
        try:
            body: Body = self.request.load(fields)
        except ValidationError as error:
            raise _to_app_error(error) from None
        return body


@responds(200)
def ok(answer: Any) -> tuple[int, Any]:
    """200, with the answer as the body."""
    return 200, answer


@responds(204)
def no_content(answer: Any) -> tuple[int, Any]:
    """204, without a body."""
    return 204, None


def _to_app_error(error: ValidationError) -> AppError:
    details = {name: _texts(value) for name, value in _by_field(error.messages).items()}
    if "conversation_id" in details:
        return AppError(errors.INVALID_CONVERSATION_ID)
    for text, kind in _KIND_OF_TEXT.items():
        # In a nested field, the name of the field stands before the text.
        if any(found.endswith(text) for texts in details.values() for found in texts):
            return AppError(kind, details=details)
    return AppError(errors.INVALID_FRAME, details=details)


def _by_field(messages: Any) -> dict[str, Any]:
    return messages if isinstance(messages, dict) else {"_": messages}


def _texts(value: Any) -> list[str]:
    """Flattens marshmallow's nested messages: clients get one list of texts per field."""
    if isinstance(value, dict):
        return [f"{key}: {text}" for key, nested in value.items() for text in _texts(nested)]
    return [str(text) for text in value]
