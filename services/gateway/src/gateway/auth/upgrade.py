"""Checks whether a request is a WebSocket upgrade, and names what is missing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Final

from aiohttp import hdrs, web

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError

VERSION: Final = "13"
_KEY_BYTES: Final = 16
_PROXY: Final = "A proxy on the way may have removed it."


def upgrade_error(request: web.Request) -> AppError | None:
    """Why the request is not a WebSocket upgrade (RFC 6455, 4.2.1); None when it is one.

    The error's `details` name the header that is missing or wrong.
    """
    headers = request.headers
    if request.method != hdrs.METH_GET:
        return _upgrade_required("Upgrade", f"Only GET opens a socket, not {request.method}.")
    if headers.get(hdrs.UPGRADE, "").strip().lower() != "websocket":
        return _upgrade_required("Upgrade", f"The header `Upgrade: websocket` is missing. {_PROXY}")
    if not _asks_to_upgrade(headers.getall(hdrs.CONNECTION, ())):
        return _upgrade_required("Connection", f"The header `Connection: Upgrade` is missing. {_PROXY}")
    if headers.get(hdrs.SEC_WEBSOCKET_VERSION) != VERSION:
        return _upgrade_required(
            "Sec-WebSocket-Version", f"The header `Sec-WebSocket-Version: {VERSION}` is missing."
        )
    if not _is_key(headers.get(hdrs.SEC_WEBSOCKET_KEY, "")):
        text = "The header `Sec-WebSocket-Key` is missing, or isn't 16 bytes in base64."
        return AppError(errors.INVALID_FRAME, details={"Sec-WebSocket-Key": [text]})
    return None


def _upgrade_required(header: str, text: str) -> AppError:
    return AppError(errors.UPGRADE_REQUIRED, details={header: [text]})


def _asks_to_upgrade(connection: Iterable[str]) -> bool:
    """Whether `Upgrade` is one of the words of the header, which may come as several lines."""
    return any(word.strip().lower() == "upgrade" for line in connection for word in line.split(","))


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False
