"""HEAD wherever GET is, OPTIONS at every path, and `Allow`, on all services; none of it
bypasses the checks.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from messenger_shared.contract.operations.table import TABLE
from tests.client import BASE_PATH, User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.uploads import PICTURE, upload
from tests.waiting import eventually

Answer = tuple[int, dict[str, str], bytes]
PAGES = (
    "/",
    "/c/x",
    "/config.json",
    "/demo",
    "/demo/demo.js",
    "/demo/nope",
    "/assets/nope",
    "/app/nope",
    "/service-worker.js",
    "/healthz",
    "/readyz",
)
OF_A_PROCESS = ("/healthz", "/readyz", "/metrics")
DOCUMENTS = ("/openapi.json", "/asyncapi.json", "/docs", "/docs/swagger-ui.css", "/docs/nope")
ROUTES: dict[str, set[str]] = {}
for _operation in TABLE.values():
    if _operation.route is not None:
        ROUTES.setdefault(_operation.route.path, set()).add(_operation.route.method)
GETS = [path for path, methods in ROUTES.items() if "GET" in methods]
# Headers that depend on the time, or on how the answer was sent.
_CHANGING = {"Date", "Transfer-Encoding", "Etag", "Last-Modified"}


class Asking:
    """A client that uses any method."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url

    async def ask(self, method: str, path: str, **headers: str) -> Answer:
        url: Any = self._url + path
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._http.request(method, url, headers=sent, allow_redirects=False) as response:
            told = {name: value for name, value in response.headers.items() if name not in _CHANGING}
            return response.status, told, await response.read()


@pytest.fixture
async def asking(stack: SharedStack) -> AsyncIterator[Asking]:
    async with aiohttp.ClientSession() as http:
        yield Asking(http, stack.url)


class Place:
    """A user with a file, in a group that has a message."""

    def __init__(self, user: User, room: str, message: str, file_id: str) -> None:
        self.bearer = user.bearer
        self._names = {
            "conversation_id": room,
            "message_id": message,
            "user_id": str(user.user_id),
            "emoji": "👍",
            "file_id": file_id,
            "side": "320",
        }

    def path(self, template: str) -> str:
        return BASE_PATH + re.sub(r"{(\w+)}", lambda name: self._names[name[1]], template)


@pytest.fixture
async def place(crowd: Crowd) -> Place:
    user = crowd.newcomer()
    room = await user.create_group()
    sent = await user.post(f"/conversations/{room}/messages", {"content": "x"})

    async def has_statistics() -> bool:
        return (await user.get("/stats")).status == 200

    # They are unavailable while presence starts.
    await eventually(has_statistics)
    return Place(user, room, sent.body["id"], await upload(user, PICTURE))


@pytest.mark.parametrize("path", GETS)
async def test_head_of_an_operation_is_get_without_its_body(asking: Asking, place: Place, path: str) -> None:
    for headers in (place.bearer, {}, {"Authorization": "Bearer nonsense"}):
        status, told, body = await asking.ask("GET", place.path(path), **headers)
        assert body
        # These refuse a request that names no users, or no words.
        is_refused = path in ("/presence", "/users", "/search/messages")
        assert status == (401 if headers is not place.bearer else 422 if is_refused else 200)
        assert await asking.ask("HEAD", place.path(path), **headers) == (status, told, b"")
    assert (await asking.ask("HEAD", place.path(path)))[0] == 401


@pytest.mark.parametrize("path", [*PAGES, *(BASE_PATH + path for path in DOCUMENTS), BASE_PATH + "/nowhere"])
async def test_head_of_a_page_is_get_without_its_body(asking: Asking, stack: SharedStack, path: str) -> None:
    assert path not in OF_A_PROCESS or stack.has_no_proxy
    status, told, body = await asking.ask("GET", path)
    assert body
    assert await asking.ask("HEAD", path) == (status, told, b"")


@pytest.mark.parametrize("path", ROUTES)
async def test_options_tells_what_an_operations_path_allows(asking: Asking, place: Place, path: str) -> None:
    expected = ROUTES[path] | {"OPTIONS"} | ({"HEAD"} if path in GETS else set())
    for headers in ({}, place.bearer):
        status, told, body = await asking.ask("OPTIONS", place.path(path), **headers)
        assert (status, body) == (204, b"")
        assert set(told["Allow"].split(",")) == expected
    status, told, _ = await asking.ask("PROPFIND", place.path(path), **place.bearer)
    assert (status, set(told["Allow"].split(","))) == (405, expected)


@pytest.mark.parametrize(
    "path", [*PAGES, *(f"{BASE_PATH}{path}" for path in (*DOCUMENTS, "/ws", "/ws/1")), "/metrics"]
)
async def test_options_tells_what_a_page_allows(asking: Asking, stack: SharedStack, path: str) -> None:
    assert path not in OF_A_PROCESS or stack.has_no_proxy
    status, told, body = await asking.ask("OPTIONS", path)
    assert (status, told["Allow"], body) == (204, "GET,HEAD,OPTIONS", b"")


@pytest.mark.parametrize(
    "path", ["/nowhere", BASE_PATH, BASE_PATH + "/nowhere", BASE_PATH + "/conversations/x/y/z"]
)
async def test_there_is_no_path_by_options_where_there_is_none(asking: Asking, path: str) -> None:
    status, told, _ = await asking.ask("OPTIONS", path)
    assert status == 404
    assert "Allow" not in told


async def test_a_page_of_an_allowed_origin_still_gets_its_preflight(
    asking: Asking, stack: SharedStack
) -> None:
    asks = {"Origin": stack.url, "Access_Control_Request_Method": "POST"}
    status, told, body = await asking.ask("OPTIONS", BASE_PATH + "/conversations", **asks)
    assert (status, body) == (204, b"")
    assert told["Access-Control-Allow-Origin"] == stack.url
    assert "PATCH" in told["Access-Control-Allow-Methods"]
    assert told["Allow"] == "GET,HEAD,OPTIONS,POST"
    for method in ("OPTIONS", "HEAD"):
        refused = await asking.ask(
            method, BASE_PATH + "/conversations", **asks | {"Origin": "https://evil.example"}
        )
        assert refused[0] == 403
        assert "Allow" not in refused[1]


async def test_the_other_services_answer_alike(stack: SharedStack) -> None:
    async with aiohttp.ClientSession() as http:
        for service in ("chat-api", "presence", "feed"):
            asking = Asking(http, stack.address(service))
            for path in ("/healthz", "/readyz", "/metrics"):
                status, told, body = await asking.ask("HEAD", path)
                assert (status, body) == (200, b"")
                assert int(told["Content-Length"]) > 0
                assert (await asking.ask("OPTIONS", path))[1]["Allow"] == "GET,HEAD,OPTIONS"
                status, told, _ = await asking.ask("POST", path)
                assert (status, told["Allow"]) == (405, "GET,HEAD,OPTIONS")
            assert (await asking.ask("OPTIONS", "/nowhere"))[0] == 404
