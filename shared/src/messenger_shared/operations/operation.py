"""Owns what an operation is: a name, a service, two schemas, and the doors through which clients reach it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from marshmallow import Schema, ValidationError

from messenger_shared import errors
from messenger_shared.errors import AppError, ErrorKind
from messenger_shared.operations.fields import TOO_LONG
from messenger_shared.operations.quick import Quick, quick

GATEWAY: Final = "gateway"
CHAT_API: Final = "chat-api"
PRESENCE: Final = "presence"

# Requests that bring their fields in a body; the others bring them in the query.
BODY_METHODS: Final = ("POST", "PUT", "PATCH")

# What anything about one conversation may be refused with.
ON_CONVERSATION: Final = (errors.INVALID_CONVERSATION_ID, errors.NOT_FOUND, errors.NOT_MEMBER)

Body = dict[str, Any]
Frame = Callable[[Body, Any], Body]


@dataclass(frozen=True, slots=True)
class Respond:
    """What a service's answer is over REST: the status, of `statuses`, and the body, None without one."""

    statuses: tuple[int, ...]
    make: Callable[[Any], tuple[int, Any]]

    def __call__(self, answer: Any) -> tuple[int, Any]:
        return self.make(answer)


def responds(*statuses: int) -> Callable[[Callable[[Any], tuple[int, Any]]], Respond]:
    """Marks the function that makes a response with all the statuses that it may have."""
    return lambda make: Respond(statuses, make)


@dataclass(frozen=True, slots=True)
class Route:
    """The REST door. Path parameters, query and JSON body together make the request."""

    method: str
    path: str
    respond: Respond
    # Request headers that stand for a field of the body.
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """The socket door: the frame types that ask, and the frame that answers.

    `frame` makes the answer's fields of the request and the service's answer; None says that the answer has
    them as they are. `always` tells whether the success frame goes out without a `ref` too.
    """

    types: tuple[str, ...]
    success: str
    frame: Frame | None = None
    always: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the contract.

    `answer` is what the REST door's body holds; frames have their shapes in `frames`. `summary` says in a few
    words what a client gets done by it; who has no door for clients needs none.
    `key` names the field whose value picks the worker; "" is the caller. `new_id` names the field that the
    gateway fills with a fresh id, by which the service knows a request that it is asked twice.
    """

    name: str
    service: str
    request: Schema
    answer: Schema
    key: str = ""
    new_id: str = ""
    route: Route | None = None
    command: Command | None = None
    errors: tuple[ErrorKind, ...] = ()
    summary: str = ""
    _quick: Quick | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_quick", quick(self.request))

    @property
    def has_body(self) -> bool:
        """Whether its REST door reads a body; who is asked for nothing needs none."""
        return self.route is not None and self.route.method in BODY_METHODS and bool(self.request.fields)

    def load(self, fields: Mapping[str, Any]) -> Body:
        """The validated request in `fields`; raises AppError."""
        if self._quick is not None and (quickly := self._quick.load(fields)) is not None:
            return quickly
        try:
            body: Body = self.request.load(fields)
        except ValidationError as error:
            raise _to_app_error(error) from None
        return body


@responds(200)
def ok(answer: Any) -> tuple[int, Any]:
    """200 with the answer as it is."""
    return 200, answer


@responds(204)
def gone(answer: Any) -> tuple[int, Any]:
    """204."""
    return 204, None


def _to_app_error(error: ValidationError) -> AppError:
    details = {name: _texts(value) for name, value in _by_field(error.messages).items()}
    if "conversation_id" in details:
        return AppError(errors.INVALID_CONVERSATION_ID)
    if any(TOO_LONG in texts for texts in details.values()):
        return AppError(errors.MESSAGE_TOO_LONG, details=details)
    return AppError(errors.INVALID_FRAME, details=details)


def _by_field(messages: Any) -> dict[str, Any]:
    return messages if isinstance(messages, dict) else {"_": messages}


def _texts(value: Any) -> list[str]:
    """marshmallow nests the messages of lists and objects; the wire has one flat list per field."""
    if isinstance(value, dict):
        return [f"{key}: {text}" for key, nested in value.items() for text in _texts(nested)]
    return [str(text) for text in value]
