"""Signing keys are fetched at the start and when they change; the last ones stay while fetching fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.auth.signing_keys import MAX_DOCUMENT_BYTES, FetchedKeys
from gateway.settings import GatewaySettings
from messenger_shared.settings.environment import Environment, SettingsError
from tests.unit.test_tokens import jwk, jwks
from tests.waiting import until


class Issuer:
    """Publishes a document of any kind."""

    def __init__(self) -> None:
        self.document = jwks([jwk("RS256", kid="first")])
        self.status = 200
        self.asked = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        headers = {"Location": "/elsewhere"} if self.status == 302 else {}
        return web.Response(body=self.document, status=self.status, headers=headers)


@pytest.fixture
async def issuer() -> AsyncIterator[tuple[Issuer, str]]:
    issuer, app = Issuer(), web.Application()
    app.router.add_get("/keys", issuer.answer)
    async with TestServer(app) as server:
        yield issuer, str(server.make_url("/keys"))


def kids(keys: FetchedKeys) -> list[Any]:
    return [key.kid for key in keys.current()]


async def test_new_keys_are_fetched_and_the_last_ones_stay_while_fetching_fails(
    issuer: tuple[Issuer, str],
) -> None:
    source, url = issuer
    keys = FetchedKeys(url, refresh_s=0.01, retry_s=0.01)
    await keys.start()
    try:
        assert kids(keys) == ["first"]
        source.document = jwks([jwk("RS256", kid="first"), jwk("ES256", kid="second")])
        await until(lambda: kids(keys) == ["first", "second"])
        for status, document in (
            (500, source.document),
            (302, source.document),
            (200, b"no keys"),
            (200, b" " * (MAX_DOCUMENT_BYTES + 1)),
        ):
            source.status, source.document = status, document
            asked = source.asked
            await until(lambda asked=asked: source.asked > asked + 1)
            assert kids(keys) == ["first", "second"]
    finally:
        await keys.stop()


async def test_starting_fails_without_keys(issuer: tuple[Issuer, str]) -> None:
    source, url = issuer
    source.status = 404
    with pytest.raises(SettingsError, match="MESSENGER_JWT_JWKS_URL"):
        await FetchedKeys(url).start()


@pytest.mark.parametrize(
    "variables",
    [
        {"MESSENGER_JWT_SECRET": "s" * 32, "MESSENGER_JWT_JWKS_URL": "https://issuer.example/keys"},
        {"MESSENGER_JWT_JWKS_URL": "ftp://issuer.example/keys"},
        {"MESSENGER_JWT_KEYS_FILE": "/nowhere"},
        {"MESSENGER_JWT_SECRET": "s" * 32, "MESSENGER_JWT_PREVIOUS_SECRET": "short"},
        {},
    ],
)
def test_invalid_settings_of_signing_keys_are_refused(variables: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="MESSENGER_JWT_"):
        GatewaySettings.read(Environment({"MESSENGER_REDIS_URL": "redis://a", **variables}))
