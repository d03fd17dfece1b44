"""Owns the closed table of errors: code, text, HTTP status, and whether to try again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

Details = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One row of the table; nothing else is ever told to a client as the reason of a failure."""

    code: str
    status: int
    retryable: bool
    message: str

    def problem(self, status: int) -> dict[str, Any]:
        """The body of a problem document (RFC 9457), told with `status`."""
        return {
            "type": "about:blank",
            # A wrong method or a body above the limit would be misnamed by the table's text.
            "title": self.message if status == self.status else HTTPStatus(status).phrase,
            "status": status,
            "code": self.code,
            "retryable": self.retryable,
        }


INVALID_JSON: Final = ErrorKind("invalid_json", 400, False, "Invalid JSON format")
INVALID_CONVERSATION_ID: Final = ErrorKind(
    "invalid_conversation_id", 400, False, "Invalid conversation_id format"
)
UNKNOWN_TYPE: Final = ErrorKind("unknown_type", 400, False, "Unknown type")
INVALID_FRAME: Final = ErrorKind("invalid_frame", 422, False, "Invalid request")
MESSAGE_TOO_LONG: Final = ErrorKind("message_too_long", 422, False, "Message is too long")
UNAUTHORIZED: Final = ErrorKind("unauthorized", 401, False, "Not authorised")
FORBIDDEN: Final = ErrorKind("forbidden", 403, False, "Not allowed")
NOT_MEMBER: Final = ErrorKind("not_member", 403, False, "No longer a member of this conversation")
NOT_FOUND: Final = ErrorKind("not_found", 404, False, "Not found")
VERSION_CONFLICT: Final = ErrorKind("version_conflict", 409, False, "Changed by someone else meanwhile")
IDEMPOTENCY_CONFLICT: Final = ErrorKind(
    "idempotency_conflict", 409, False, "client_message_id was used for something else"
)
RATE_LIMITED: Final = ErrorKind("rate_limited", 429, True, "Too many requests")
OVERLOADED: Final = ErrorKind("overloaded", 503, True, "Too busy")
UNAVAILABLE: Final = ErrorKind("unavailable", 503, True, "Not available at the moment")
TIMEOUT: Final = ErrorKind("timeout", 504, True, "No answer in time")
INTERNAL: Final = ErrorKind("internal", 500, True, "Internal error")

KINDS: Final[Mapping[str, ErrorKind]] = {
    kind.code: kind
    for kind in (
        INVALID_JSON,
        INVALID_CONVERSATION_ID,
        UNKNOWN_TYPE,
        INVALID_FRAME,
        MESSAGE_TOO_LONG,
        UNAUTHORIZED,
        FORBIDDEN,
        NOT_MEMBER,
        NOT_FOUND,
        VERSION_CONFLICT,
        IDEMPOTENCY_CONFLICT,
        RATE_LIMITED,
        OVERLOADED,
        UNAVAILABLE,
        TIMEOUT,
        INTERNAL,
    )
}


class AppError(Exception):
    """A failure that a client is told about, as one row of the table with its data."""

    def __init__(
        self, kind: ErrorKind, *, details: Details | None = None, retry_after_ms: int | None = None
    ) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.details = details
        self.retry_after_ms = retry_after_ms

    def to_wire(self) -> dict[str, Any]:
        """The failure as the `error` frame and the bus carry it."""
        wire: dict[str, Any] = {
            "message": self.kind.message,
            "code": self.kind.code,
            "retryable": self.kind.retryable,
        }
        if self.retry_after_ms is not None:
            wire["retry_after_ms"] = self.retry_after_ms
        if self.details:
            wire["details"] = self.details
        return wire

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> AppError:
        """The failure that `to_wire` wrote; an unknown code reads as internal."""
        return cls(
            KINDS.get(wire.get("code", ""), INTERNAL),
            details=wire.get("details"),
            retry_after_ms=wire.get("retry_after_ms"),
        )
