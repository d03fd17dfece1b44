"""Makes requests to the outside: bounded in time, size and number, and only to where they may go."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal, get_args

import aiohttp
from yarl import URL

from chat_api.outgoing import metrics
from chat_api.outgoing.connections import Connector, ssl_context
from chat_api.outgoing.destinations import Destinations
from chat_api.outgoing.resolver import THREADS, GuardedResolver, RefusedAddress
from chat_api.outgoing.settings import CA_FILE, OutgoingSettings
from chat_api.outgoing.slots import Busy, Limits, Slots
from chat_api.outgoing.urls import BadUrl
from messenger_shared.settings.environment import SettingsError

log = logging.getLogger(__name__)

Purpose = Literal["before_send", "webhooks", "push"]
# Why there is no answer. `connect`: no connection, or it broke. `protocol`: what came is no proper answer.
Failure = Literal["refused_address", "dns", "connect", "tls", "timeout", "protocol", "too_busy"]
FAILURES: Final[tuple[str, ...]] = get_args(Failure)
_STATUSES: Final = ("2xx", "3xx", "4xx", "5xx")

# For name, connection and TLS together; and without a byte of the answer.
CONNECT_S: Final = 5.0
IDLE_S: Final = 10.0
# Of a body, that is what callers get.
BODY_BYTES: Final = 4_096
MAX_HEADERS: Final = 64
_HEADERS: Final = ("content-type", "retry-after")
_SESSION: Final = {"User-Agent": "Messenger", "Accept-Encoding": "identity", "Accept": "*/*"}


class OutgoingError(Exception):
    """There is no answer. `failure` says why; nothing here has the URL."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer: some of the headers, with lower-case names, and the first bytes of the body.

    The body is as it came, never unpacked.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class OutgoingClient:
    """POSTs to the outside for one purpose, with connections and limits of its own. See OutgoingSettings."""

    def __init__(self, settings: OutgoingSettings, purpose: Purpose, limits: Limits | None = None) -> None:
        self._settings = settings
        self._purpose = purpose
        self._limits = limits or Limits()
        self._destinations = Destinations(settings)
        self._slots = Slots(self._limits)
        self._threads: ThreadPoolExecutor | None = None
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        # So that they are shown before anything is counted.
        for outcome in (*_STATUSES, *FAILURES):
            metrics.REQUESTS.labels(purpose, outcome)
        metrics.REQUEST_TIME.labels(purpose)

    async def start(self) -> None:
        """Raises SettingsError if the file of certificate authorities can't be read."""
        try:
            context = ssl_context(self._settings.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"{CA_FILE.name}: {error.strerror}") from None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"{self._purpose} names")
        for scheme, rule in (self._destinations.rules | {"https": self._settings.look_up_rule}).items():
            resolver = GuardedResolver(rule, self._threads)
            self._sessions[scheme] = _session(Connector(resolver, context, self._limits))

    async def stop(self) -> None:
        """Closes all connections. Requests under way fail."""
        for session in self._sessions.values():
            await session.close()
        if self._threads is not None:
            # A look-up that hangs ends by itself.
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout_s: float,
        body_bytes: int = BODY_BYTES,
    ) -> Answer:
        """The answer, whatever its status. It takes `timeout_s` at most. Redirects aren't followed.

        Raises OutgoingError.
        """
        started_at = time.monotonic()
        with metrics.RUNNING.labels(self._purpose).track_inprogress():
            result = await self._try(url, body, headers, timeout_s, body_bytes)
        metrics.REQUEST_TIME.labels(self._purpose).observe(time.monotonic() - started_at)
        if isinstance(result, Answer):
            metrics.REQUESTS.labels(self._purpose, f"{result.status // 100}xx").inc()
            return result
        metrics.REQUESTS.labels(self._purpose, result).inc()
        # Outside of the handlers of exceptions, whose texts may have the URL.
        raise OutgoingError(result)

    async def _try(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, body_bytes: int
    ) -> Answer | Failure:
        try:
            target = self._destinations.check(url)
        except BadUrl:
            return "refused_address"
        failure: Failure
        try:
            async with asyncio.timeout(timeout_s), self._slots.taken(target.raw_host or ""):
                return await self._send(target, body, headers, body_bytes)
        except Busy:
            failure = "too_busy"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = failure_of(error)
        log.info("a request for %s to %s failed: %s", self._purpose, target.origin(), failure)
        return failure

    async def _send(self, url: URL, body: bytes, headers: Mapping[str, str], body_bytes: int) -> Answer:
        proxy = self._settings.proxy if url.scheme == "https" else None
        async with self._sessions[url.scheme].post(
            url, data=body, headers=headers, allow_redirects=False, proxy=proxy
        ) as response:
            if not 200 <= response.status <= 599:
                response.close()
                raise aiohttp.ClientPayloadError
            # If there is more, leaving the block closes the connection. The next byte tells whether there is.
            start = await _first_bytes(response.content, body_bytes + 1)
            kept = {name: response.headers[name] for name in _HEADERS if name in response.headers}
            return Answer(response.status, kept, start[:body_bytes])


def failure_of(error: Exception) -> Failure:
    """Which failure an exception of aiohttp's is."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "refused_address" if isinstance(error.os_error, RefusedAddress) else "dns"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return "tls"
    # The last one: a proxy that doesn't connect.
    if isinstance(error, (OSError, aiohttp.ServerDisconnectedError, aiohttp.ClientHttpProxyError)):
        return "connect"
    return "protocol"


def _session(connector: Connector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        # The whole has a deadline of the caller's.
        timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=IDLE_S),
        headers=_SESSION,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        max_headers=MAX_HEADERS,
    )


async def _first_bytes(content: aiohttp.StreamReader, count: int) -> bytes:
    start = bytearray()
    while len(start) < count and (chunk := await content.read(count - len(start))):
        start += chunk
    return bytes(start)
