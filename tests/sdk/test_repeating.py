"""Which requests of the SDK are repeated, and when they fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from messenger_sdk import MessengerError, Server
from messenger_sdk.rest import BASE_PATH

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gateway:
    """A web server that gives prepared answers, one after the other, and then the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[web.Response | None] = []
        self.requests: list[tuple[str, str, str | None]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path, request.headers.get("Idempotency-Key")))
        answer = self.answers.pop(0)
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return answer


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
async def server(gateway: Gateway) -> AsyncIterator[Server]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", gateway.answer)
    async with TestServer(application) as http, Server(str(http.make_url("")), "msk_x", 5.0) as server:
        yield server


def problem(status: int, code: str, retryable: bool, **headers: str) -> web.Response:
    body: dict[str, Any] = {"status": status, "code": code, "title": code, "retryable": retryable}
    return web.json_response(body, status=status, headers=headers)


async def test_a_failure_that_may_pass_is_repeated_with_one_idempotency_key(
    gateway: Gateway, server: Server
) -> None:
    gateway.answers = [
        None,
        problem(503, "unavailable", True),
        web.Response(status=502, text="<html>Bad Gateway</html>"),
        problem(504, "timeout", True),
        web.json_response({"id": "m"}, status=201),
    ]
    assert (await server.send_message("c", 1, "hello"))["id"] == "m"
    assert len(gateway.requests) == 5
    assert len({key for _, _, key in gateway.requests}) == 1
    assert gateway.requests[0][:2] == ("POST", f"{BASE_PATH}/server/conversations/c/messages")


async def test_each_message_has_a_key_of_its_own(gateway: Gateway, server: Server) -> None:
    gateway.answers = [web.json_response({"id": "m"}, status=201) for _ in range(2)]
    for _ in range(2):
        await server.send_message("c", 1, "hello")
    assert len({key for _, _, key in gateway.requests}) == 2


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(409, "key_conflict", False), "key_conflict"),
        (web.Response(status=404, text="<html>nothing here</html>"), "unexpected_answer"),
        (web.Response(status=302, headers={"Location": "http://example.org"}), "unexpected_answer"),
        (web.Response(text="<html>a page</html>"), "unexpected_answer"),
    ],
)
async def test_a_failure_that_stays_is_raised_at_once(
    gateway: Gateway, server: Server, answer: web.Response, code: str
) -> None:
    gateway.answers = [answer]
    with pytest.raises(MessengerError) as refusal:
        await server.get_user(1)
    assert (refusal.value.code, len(gateway.requests)) == (code, 1)


async def test_a_wait_beyond_the_deadline_is_not_waited_for(gateway: Gateway, server: Server) -> None:
    gateway.answers = [problem(429, "rate_limited", True, **{"Retry-After": "60"})]
    with pytest.raises(MessengerError) as refusal:
        await server.get_user(1)
    assert (refusal.value.code, refusal.value.retry_after_s) == ("rate_limited", 60.0)


async def test_a_removal_that_was_done_by_a_lost_attempt_has_succeeded(
    gateway: Gateway, server: Server
) -> None:
    gateway.answers = [problem(504, "timeout", True), problem(404, "not_found", False)]
    await server.remove_participant("c", 1)
    gateway.answers = [problem(404, "not_found", False)]
    with pytest.raises(MessengerError, match="not_found"):
        await server.remove_participant("c", 1)


async def test_a_messenger_that_is_away_is_unreachable(unused_tcp_port: int) -> None:
    async with Server(f"http://127.0.0.1:{unused_tcp_port}", "msk_x", 0.5) as server:
        with pytest.raises(MessengerError) as failure:
            await server.get_user(1)
    assert (failure.value.code, failure.value.status, failure.value.retryable) == ("unreachable", None, True)
