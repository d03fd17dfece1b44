"""A push service on loopback: it checks who signs, decrypts with the browsers' keys, and answers by plan."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import orjson
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwt
from joserfc.jwk import ECKey

from chat_api.push.vapid import CURVE, point_of, public_key_of
from messenger_shared.contract.schemas.push import decoded, encoded

LIMIT_S = 20.0


class Answer(NamedTuple):
    """A status, and what `Retry-After` is to say."""

    status: int
    retry_after: str | None = None


class Arrived(NamedTuple):
    """A push that was taken: what it says, and how it came."""

    payload: dict[str, Any]
    topic: str | None
    urgency: str
    ttl_s: int
    key: str
    claims: dict[str, Any]
    at: float


class Browser:
    """A browser that has subscribed: its endpoint, its keys, and what arrived."""

    def __init__(self, url: str, number: int, private_key: ec.EllipticCurvePrivateKey | None = None) -> None:
        self.endpoint = f"{url}/push/{number}"
        self.private_key = private_key or ec.generate_private_key(CURVE)
        self.point = point_of(self.private_key.public_key())
        self.auth = number.to_bytes(16)
        self.arrived: list[Arrived] = []
        # The answers to come; then it is 201.
        self.plan: deque[Answer] = deque()
        # The status of each request so far.
        self.answered: list[int] = []

    def subscription(self, **fields: Any) -> dict[str, Any]:
        """The body of `PUT /push/subscriptions`."""
        keys = {"p256dh": encoded(self.point), "auth": encoded(self.auth)}
        return {"kind": "webpush", "endpoint": self.endpoint, "keys": keys, **fields}

    @property
    def payloads(self) -> list[dict[str, Any]]:
        """What arrived."""
        return [one.payload for one in self.arrived]


class PushService:
    """The service. Whatever is wrong with a request is a failure of the test."""

    def __init__(self) -> None:
        self.url = ""
        self.browsers: dict[str, Browser] = {}
        self.topics: defaultdict[str | None, int] = defaultdict(int)
        self.faults: list[str] = []
        self._changed = asyncio.Condition()

    def browser(self) -> Browser:
        """A new browser."""
        browser = Browser(self.url, len(self.browsers) + 1)
        self.browsers[browser.endpoint] = browser
        return browser

    async def until(self, holds: Callable[[], bool]) -> None:
        """Returns when this holds; it is looked at after each request."""
        async with asyncio.timeout(LIMIT_S), self._changed:
            await self._changed.wait_for(holds)

    async def handle(self, request: web.Request) -> web.Response:
        """Takes a request."""
        browser = self.browsers[f"{self.url}{request.path}"]
        body = await request.read()
        answer = browser.plan.popleft() if browser.plan else Answer(201)
        async with self._changed:
            try:
                one = self._read(request, browser, body)
            except Exception as error:
                self.faults.append(repr(error))
                answer = Answer(400)
            else:
                if answer.status == 201:
                    browser.arrived.append(one)
                    self.topics[one.topic] += 1
            browser.answered.append(answer.status)
            self._changed.notify_all()
        headers = {"Retry-After": answer.retry_after} if answer.retry_after else {}
        return web.Response(status=answer.status, headers=headers)

    def _read(self, request: web.Request, browser: Browser, body: bytes) -> Arrived:
        headers = request.headers
        assert headers["Content-Encoding"] == "aes128gcm"
        assert len(body) <= 4096
        topic = headers.get("Topic")
        assert topic is None or len(topic) <= 32
        key, claims = verified(headers["Authorization"])
        assert claims["aud"] == self.url
        assert 0 < claims["exp"] - time.time() <= 24 * 3600
        payload = orjson.loads(decrypt(body, browser.private_key, browser.auth))
        ttl_s, urgency = int(headers["TTL"]), headers["Urgency"]
        return Arrived(payload, topic, urgency, ttl_s, key, claims, time.time())


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    """Yields the service. In the end, nothing may have been wrong with any request."""
    service, app = PushService(), web.Application()
    app.router.add_post("/push/{number}", service.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()
    assert not service.faults


def verified(authorization: str) -> tuple[str, dict[str, Any]]:
    """The key and the claims of a header (RFC 8292); raises if the signature isn't the key's."""
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "vapid"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    key = ECKey.import_key(public_key_of(decoded(parts["k"]) or b""))
    return parts["k"], jwt.decode(parts["t"], key, algorithms=["ES256"]).claims


def decrypt(body: bytes, private_key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """The plain text of one record, by the words of RFC 8188 and RFC 8291."""
    salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
    sender, record = body[21 : 21 + length], body[21 + length :]
    assert len(record) <= size

    def derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
        return HKDF(SHA256(), length, salt, info).derive(secret)

    ecdh_secret = private_key.exchange(ec.ECDH(), public_key_of(sender))
    info = b"WebPush: info\x00" + point_of(private_key.public_key()) + sender
    ikm = derive(auth, ecdh_secret, info, 32)
    key = derive(salt, ikm, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = derive(salt, ikm, b"Content-Encoding: nonce\x00", 12)
    text, delimiter, padding = AESGCM(key).decrypt(nonce, record, None).rpartition(b"\x02")
    assert delimiter
    assert not padding.strip(b"\x00")
    return text
