"""The pages: the built client with a strict policy and lasting assets, and a word where it is not built."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp.plugin import AiohttpClient

from gateway import pages
from gateway.settings import GatewaySettings, Limits

FIRST_LOAD_BYTES = 170 * 1024
HOST = "https://app.example"
Client = TestClient[web.Request, web.Application]


def built(folder: Path) -> Path:
    """Something like a built client."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>The client</title>")
    (folder / "assets" / "index-abc.js").write_text("1")
    (folder / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(b"packed"))
    (folder / "assets" / "secret.txt").write_text("no page's")
    return folder


@pytest.fixture
async def client(aiohttp_client: AiohttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(pages, "CLIENT", built(tmp_path / "client"))
    return await serve(aiohttp_client)


async def serve(aiohttp_client: AiohttpClient) -> Client:
    app = web.Application()
    settings = GatewaySettings((), b"", frozenset({HOST}), Limits(), 25_000, "/login")
    pages.add_pages(app, settings)
    return await aiohttp_client(app)


@pytest.mark.parametrize("path", ["/", "/c/0193c0de-0000-7000-8000-000000000001"])
async def test_every_address_of_the_client_gives_the_client(client: Client, path: str) -> None:
    async with client.get(path) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert "The client" in await response.text()
        assert response.headers["Cache-Control"] == "no-cache"
        policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy
    assert f"frame-ancestors 'self' {HOST}" in policy


async def test_assets_last_and_come_packed(client: Client) -> None:
    async with client.get("/assets/index-abc.js", headers={"Accept-Encoding": "gzip"}) as response:
        assert response.status == 200
        assert "immutable" in response.headers["Cache-Control"]
        assert await response.text() == "packed"


@pytest.mark.parametrize(
    "path", ["/assets/index-other.js", "/assets/secret.txt", "/assets/..%2Findex.html", "/nothing"]
)
async def test_what_is_no_page_is_not_found(client: Client, path: str) -> None:
    async with client.get(path) as response:
        assert response.status == 404


async def test_the_client_is_told_how_its_user_comes_in(client: Client) -> None:
    async with client.get("/config.json") as response:
        told = await response.json()
    assert told == {"login_url": "/login", "host_origins": [HOST], "dev_tokens": False}


async def test_an_unbuilt_client_says_so_and_the_demo_works(
    aiohttp_client: AiohttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "CLIENT", tmp_path / "nothing")
    client = await serve(aiohttp_client)
    async with client.get("/") as response:
        assert response.status == 200
        assert "Node.js" in await response.text()
    async with client.get("/demo") as response:
        assert response.status == 200


def test_the_first_load_is_small() -> None:
    index = pages.CLIENT / "index.html"
    if not index.is_file():
        pytest.skip("the web client is not built (`make web` says why): it was not weighed")
    names = set(re.findall(r'(?:src|href)="/assets/([^"]+\.(?:js|css))"', index.read_text()))
    assert names
    sizes = {name: len(gzip.compress((pages.CLIENT / "assets" / name).read_bytes())) for name in names}
    assert sum(sizes.values()) <= FIRST_LOAD_BYTES, sizes
