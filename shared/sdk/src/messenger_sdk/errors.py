"""The error that every failed request raises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

UNREACHABLE = "unreachable"
UNEXPECTED = "unexpected_answer"
# A proxy answers with these while the messenger restarts.
_TEMPORARY = {429, 502, 503, 504}


class MessengerError(Exception):
    """A request that was refused, or that got no answer.

    `code` is a code of the messenger's documents. `unreachable` means that no answer came; the request may
    have been carried out. `unexpected_answer` means that the answer wasn't the messenger's.
    `status` is the HTTP status, or None. `errors` says per field what is wrong.
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        status: int | None = None,
        retryable: bool = False,
        retry_after_s: float | None = None,
        errors: Mapping[str, list[str]] | None = None,
    ) -> None:
        details = f" {dict(errors)}" if errors else ""
        super().__init__(f"{code}: {message}{details}" if message else f"{code}{details}")
        self.code = code
        self.status = status
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.errors = dict(errors or {})


def unreachable(reason: object) -> MessengerError:
    """Returns the error of a request that got no answer."""
    return MessengerError(UNREACHABLE, str(reason) or type(reason).__name__, retryable=True)


def from_response(status: int, headers: Mapping[str, str], body: bytes) -> MessengerError:
    """Returns the error that a response of 300 or above stands for."""
    problem = _problem(body)
    retryable = status in _TEMPORARY
    return MessengerError(
        problem.get("code", UNEXPECTED),
        problem.get("title", f"HTTP {status}"),
        status=status,
        retryable=problem.get("retryable", retryable),
        retry_after_s=_seconds(headers.get("Retry-After")),
        errors=problem.get("errors"),
    )


def from_frame(frame: Mapping[str, Any]) -> MessengerError:
    """Returns the error of an `error` frame."""
    wait_ms = frame.get("retry_after_ms")
    return MessengerError(
        frame["code"],
        frame.get("message", ""),
        retryable=frame.get("retryable", False),
        retry_after_s=None if wait_ms is None else wait_ms / 1000,
        errors=frame.get("details"),
    )


def _problem(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() else None
