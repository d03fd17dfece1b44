"""The documents that the gateway serves are the built ones, and their page needs no other server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from gateway.edge.documents.asyncapi import asyncapi
from gateway.edge.documents.openapi import openapi
from messenger_shared.contract.operations.table import TABLE
from tests.conftest import SharedStack
from tests.documented import BASE_PATH


@pytest.fixture
async def http(stack: SharedStack) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(stack.url) as session:
        yield session


@pytest.mark.parametrize(("name", "build"), [("openapi", openapi), ("asyncapi", asyncapi)])
async def test_who_has_no_token_gets_the_documents(
    http: aiohttp.ClientSession, name: str, build: Callable[..., Any]
) -> None:
    async with http.get(f"{BASE_PATH}/{name}.json") as response:
        assert (response.status, response.content_type) == (200, "application/json")
        served = await response.json()
    assert served == build(TABLE, BASE_PATH, served["info"]["version"])


async def test_the_page_and_all_that_it_wants_come_from_here(http: aiohttp.ClientSession) -> None:
    async with http.get(f"{BASE_PATH}/docs") as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert "'unsafe" not in response.headers["Content-Security-Policy"]
        page = await response.text()
    wanted = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert {"openapi.json", "asyncapi.json", "docs/docs.js"} <= set(wanted)
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|//", page)
    for place in wanted:
        if place.startswith("docs/"):
            async with http.get(f"{BASE_PATH}/{place}") as response:
                assert response.status == 200
                assert response.content_type in ("text/css", "text/javascript", "application/javascript")


@pytest.mark.parametrize("name", ["nope.js", "..%2fdocs.py", "__init__.py"])
async def test_no_other_file_is_served(http: aiohttp.ClientSession, name: str) -> None:
    async with http.get(f"{BASE_PATH}/docs/{name}") as response:
        assert (response.status, response.content_type) == (404, "application/problem+json")
