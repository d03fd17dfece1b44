"""The pages: the built client with a strict policy and cached assets, and a notice when it is not built."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp.plugin import AiohttpClient

from gateway.edge import pages
from gateway.settings import GatewaySettings
from messenger_shared.settings.environment import Environment
from tests.gateway.world import REQUIRED_SETTINGS

FIRST_LOAD_BYTES = 170 * 1024
HOST = "https://app.example"
Client = TestClient[web.Request, web.Application]


def built(folder: Path) -> Path:
    """Writes something like a built client."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>The client</title>")
    (folder / "assets" / "index-abc.js").write_text("1")
    (folder / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(b"packed"))
    (folder / "assets" / "secret.txt").write_text("no page's")
    (folder / "service-worker.js").write_text("2")
    (folder / "another.js").write_text("no page's")
    (folder / "app").mkdir()
    (folder / "app" / "manifest.webmanifest").write_text("{}")
    (folder / "app" / "icon-192.png").write_bytes(b"an icon")
    return folder


@pytest.fixture
async def client(aiohttp_client: AiohttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(pages, "CLIENT", built(tmp_path / "client"))
    return await serve(aiohttp_client)


async def serve(aiohttp_client: AiohttpClient, **more: str) -> Client:
    app = web.Application()
    variables = {"MESSENGER_ALLOWED_ORIGINS": HOST, "MESSENGER_LOGIN_URL": "/login"}
    settings = GatewaySettings.read(Environment(REQUIRED_SETTINGS | variables | more))
    pages.add_pages(app, settings)
    return await aiohttp_client(app)


@pytest.mark.parametrize("path", ["/", "/c/0193c0de-0000-7000-8000-000000000001"])
async def test_every_path_of_the_client_serves_the_client(client: Client, path: str) -> None:
    async with client.get(path) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert "The client" in await response.text()
        assert response.headers["Cache-Control"] == "no-cache"
        policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy
    assert "img-src 'self' https: blob:; media-src blob:;" in policy
    others = [each for each in policy.split("; ") if not each.startswith("img-src")]
    assert not any("https:" in each for each in others if not each.startswith("frame-ancestors"))
    assert f"frame-ancestors 'self' {HOST}" in policy


async def test_the_client_may_use_the_store_of_files_and_no_other_origin(
    aiohttp_client: AiohttpClient,
) -> None:
    store = {
        "MESSENGER_FILES_S3_URL": "http://s3:7070",
        "MESSENGER_FILES_S3_PUBLIC_URL": "http://files.example:8333/",
        "MESSENGER_FILES_S3_BUCKET": "files",
        "MESSENGER_FILES_S3_ACCESS_KEY": "key",
        "MESSENGER_FILES_S3_SECRET_KEY": "secret",
    }
    client = await serve(aiohttp_client, **store)
    async with client.get("/") as response:
        policy = response.headers["Content-Security-Policy"].split("; ")
    origin = "http://files.example:8333"
    assert f"connect-src 'self' {origin}" in policy
    assert sum("http:" in each for each in policy) == 1


async def test_assets_are_cached_and_compressed(client: Client) -> None:
    async with client.get("/assets/index-abc.js", headers={"Accept-Encoding": "gzip"}) as response:
        assert response.status == 200
        assert "immutable" in response.headers["Cache-Control"]
        assert await response.text() == "packed"


async def test_the_service_worker_is_asked_for_again_and_may_load_the_client_alone(client: Client) -> None:
    async with client.get("/service-worker.js") as response:
        assert (response.status, await response.text()) == (200, "2")
        assert response.content_type in ("text/javascript", "application/javascript")
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; connect-src 'self'"
    async with client.get("/") as response:
        policy = response.headers["Content-Security-Policy"].split("; ")
    assert {"worker-src 'self'", "manifest-src 'self'"} <= set(policy)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("manifest.webmanifest", "application/manifest+json"), ("icon-192.png", "image/png")],
)
async def test_what_installs_the_client_as_an_app_is_served(client: Client, name: str, kind: str) -> None:
    async with client.get(f"/app/{name}") as response:
        assert (response.status, response.content_type) == (200, kind)
        assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/index-other.js",
        "/assets/secret.txt",
        "/assets/..%2Findex.html",
        "/app/..%2Findex.html",
        "/another.js",
        "/nothing",
    ],
)
async def test_other_paths_are_not_found(client: Client, path: str) -> None:
    async with client.get(path) as response:
        assert response.status == 404


async def test_a_missing_asset_is_not_found_and_not_cached(client: Client) -> None:
    """A client of another version asks for it, and must learn that it is gone, but not cache that."""
    async with client.get("/assets/Details-old.js") as response:
        assert (response.status, response.content_type) == (404, "text/plain")
        assert response.headers["Cache-Control"] == "no-store"


async def test_an_unchanged_page_is_revalidated_and_not_sent_again(client: Client) -> None:
    async with client.get("/") as response:
        etag = response.headers["ETag"]
    async with client.get("/", headers={"If-None-Match": etag}) as response:
        assert response.status == 304
        assert response.headers["Cache-Control"] == "no-cache"


async def test_the_client_is_told_how_its_user_signs_in(client: Client) -> None:
    async with client.get("/config.json") as response:
        told = await response.json()
    assert told == {"login_url": "/login", "host_origins": [HOST], "dev_tokens": False}


async def test_without_a_built_client_a_notice_is_served_and_the_demo_works(
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
