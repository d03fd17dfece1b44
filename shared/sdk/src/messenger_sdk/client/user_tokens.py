"""The token of a bot's user, from the application."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable

from messenger_sdk.errors import unreachable

log = logging.getLogger(__name__)

GetToken = Callable[[], str | Awaitable[str]]

# A token may expire between being issued and being used, but an application that goes on giving bad ones is
# wrong.
MAX_REFUSALS = 3


class UserTokens:
    """Keeps a token until the messenger refuses it, then asks the application for another one."""

    def __init__(self, get_token: GetToken) -> None:
        self._get_token = get_token
        self._token: str | None = None
        self._refusals = 0

    async def token(self) -> str:
        """Returns the token of the next request. Raises MessengerError if the application has none now."""
        if self._token is None:
            try:
                given = self._get_token()
                self._token = await given if inspect.isawaitable(given) else given
            except Exception as error:
                log.warning("get_token failed", exc_info=True)
                raise unreachable(f"get_token failed: {error!r}") from error
        return self._token

    def accepted(self) -> None:
        """The messenger accepted the token."""
        self._refusals = 0

    def refused(self) -> bool:
        """The messenger refused the token. Returns whether another one may be tried."""
        self._token = None
        self._refusals += 1
        return self._refusals < MAX_REFUSALS
