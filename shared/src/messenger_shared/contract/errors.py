"""The closed table of errors: code, text, HTTP status, and whether a retry may help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

Details = Mapping[str, list[str]]

# What RFC 9110 calls these. Older Pythons have older names.
_TITLES: Final = {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable"}


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One row of the table. Clients get no other reason for a failure."""

    code: str
    status: int
    retryable: bool
    message: str

    def problem(self, status: int) -> dict[str, Any]:
        """The body of a problem document (RFC 9457) that is sent with `status`."""
        return {
            "type": "about:blank",
            # With another status (a wrong method, a body that is too large) the table's text would be wrong.
            "title": self.message if status == self.status else _title(status),
            "status": status,
            "code": self.code,
            "retryable": self.retryable,
        }


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase


INVALID_JSON: Final = ErrorKind("invalid_json", 400, False, "Invalid JSON format")
INVALID_CONVERSATION_ID: Final = ErrorKind(
    "invalid_conversation_id", 400, False, "Invalid conversation_id format"
)
UPGRADE_REQUIRED: Final = ErrorKind(
    "upgrade_required", 426, False, "This path needs a WebSocket upgrade (Upgrade: websocket)"
)
UNKNOWN_TYPE: Final = ErrorKind("unknown_type", 400, False, "Unknown type")
INVALID_FRAME: Final = ErrorKind("invalid_frame", 422, False, "Invalid request")
MESSAGE_TOO_LONG: Final = ErrorKind("message_too_long", 422, False, "Message is too long")
QUERY_TOO_SHORT: Final = ErrorKind("query_too_short", 422, False, "Search for at least two characters")
UNAUTHORIZED: Final = ErrorKind("unauthorized", 401, False, "Not authorised")
FORBIDDEN: Final = ErrorKind("forbidden", 403, False, "Not allowed")
NOT_MEMBER: Final = ErrorKind("not_member", 403, False, "No longer a member of this conversation")
KEY_SCOPE: Final = ErrorKind("key_scope", 403, False, "The server key lacks the scope for this")
USER_DEACTIVATED: Final = ErrorKind("user_deactivated", 403, False, "This user is deactivated")
NOT_FOUND: Final = ErrorKind("not_found", 404, False, "Not found")
VERSION_CONFLICT: Final = ErrorKind("version_conflict", 409, False, "Changed by another edit in the meantime")
IDEMPOTENCY_CONFLICT: Final = ErrorKind(
    "idempotency_conflict", 409, False, "client_message_id was already used for another message"
)
KEY_CONFLICT: Final = ErrorKind("key_conflict", 409, False, "The key belongs to something else")
CURSOR_EXPIRED: Final = ErrorKind("cursor_expired", 410, False, "Events after this cursor are no longer kept")
BAD_EMOJI: Final = ErrorKind("bad_emoji", 422, False, "Not an emoji")
BAD_ENDPOINT: Final = ErrorKind("bad_endpoint", 422, False, "Not an address that may be called")
REACTION_LIMIT: Final = ErrorKind(
    "reaction_limit", 409, False, "Too many different reactions to this message"
)
MENTION_ALL_REFUSED: Final = ErrorKind(
    "mention_all_refused", 403, False, "Only admins may mention all members, of at most 1,000"
)
MESSAGE_REJECTED: Final = ErrorKind("message_rejected", 422, False, "The message was rejected")
UNKNOWN_USER: Final = ErrorKind("unknown_user", 422, False, "Unknown user")
FILE_TOO_LARGE: Final = ErrorKind("file_too_large", 413, False, "File is too large")
FILE_TYPE_REFUSED: Final = ErrorKind("file_type_refused", 415, False, "Files of this type are not accepted")
FILE_NOT_READY: Final = ErrorKind("file_not_ready", 409, False, "The upload of the file is not complete")
UPLOAD_CONFLICT: Final = ErrorKind(
    "upload_conflict", 409, True, "Not where the upload continues, or another request continues it"
)
QUOTA_EXCEEDED: Final = ErrorKind("quota_exceeded", 403, False, "Too many files today")
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
        UPGRADE_REQUIRED,
        INVALID_FRAME,
        MESSAGE_TOO_LONG,
        QUERY_TOO_SHORT,
        UNAUTHORIZED,
        FORBIDDEN,
        NOT_MEMBER,
        KEY_SCOPE,
        USER_DEACTIVATED,
        NOT_FOUND,
        VERSION_CONFLICT,
        IDEMPOTENCY_CONFLICT,
        KEY_CONFLICT,
        CURSOR_EXPIRED,
        BAD_EMOJI,
        BAD_ENDPOINT,
        REACTION_LIMIT,
        MENTION_ALL_REFUSED,
        MESSAGE_REJECTED,
        UNKNOWN_USER,
        FILE_TOO_LARGE,
        FILE_TYPE_REFUSED,
        FILE_NOT_READY,
        UPLOAD_CONFLICT,
        QUOTA_EXCEEDED,
        RATE_LIMITED,
        OVERLOADED,
        UNAVAILABLE,
        TIMEOUT,
        INTERNAL,
    )
}


class AppError(Exception):
    """A failure that is reported to clients: a row of the table, with details and a time to wait."""

    def __init__(
        self, kind: ErrorKind, *, details: Details | None = None, retry_after_ms: int | None = None
    ) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.details = details
        self.retry_after_ms = retry_after_ms

    def to_wire(self) -> dict[str, Any]:
        """The failure as a dict, for `error` frames and for the bus."""
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
        """The reverse of `to_wire`; an unknown code becomes `internal`."""
        return cls(
            KINDS.get(wire.get("code", ""), INTERNAL),
            details=wire.get("details"),
            retry_after_ms=wire.get("retry_after_ms"),
        )
