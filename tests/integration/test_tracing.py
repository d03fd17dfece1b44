"""Tracing follows a message from the gateway to its readers, and only where a collector is configured."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from gateway.connections.hub import Hub
from gateway.delivery.tracing import make_hub
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.operations.messages import EDIT, SEND
from messenger_shared.settings.environment import Environment, SettingsError
from messenger_shared.tracing.setup import make_spans
from messenger_shared.tracing.spans import Spans
from tests.e2e.crowd import Crowd, open_crowd_at
from tests.stack import RunningStack, running_stack
from tests.waiting import until

COLLECTED_S = 15.0
SEND_STEPS = {
    ("gateway", "message.send"),
    ("chat-api", "message.send"),
    ("chat-api", "commit"),
    ("gateway", "deliver"),
}


class Collector:
    """Takes spans by OTLP over HTTP, as a collector does."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        told = ExportTraceServiceRequest.FromString(await request.read())
        for group in told.resource_spans:
            [name] = [a.value.string_value for a in group.resource.attributes if a.key == "service.name"]
            for scope in group.scope_spans:
                self.spans += [(name.removeprefix("messenger-"), span) for span in scope.spans]
        return web.Response(content_type="application/x-protobuf")

    def of(self, trace_id: bytes) -> dict[tuple[str, str], Span]:
        """Returns the spans of one trace, by service and name."""
        return {(service, s.name): s for service, s in self.spans if s.trace_id == trace_id}


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    async with TestServer(app) as server:
        collector.url = str(server.make_url(""))
        yield collector


@pytest.fixture
async def stack(collector: Collector, tmp_path: Path) -> AsyncIterator[RunningStack]:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    workers = "gateway=1,chat-api=1,presence=1"
    async with running_stack(tmp_path / "data", unused_port(), workers, env) as stack:
        yield stack


@pytest.fixture
async def crowd(stack: RunningStack) -> AsyncIterator[Crowd]:
    async with open_crowd_at(stack) as crowd:
        yield crowd


async def test_a_message_is_followed_from_its_door_to_its_readers(crowd: Crowd, collector: Collector) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    socket, other = await one.connect(), await two.connect()
    sent = await socket.request("message.send", conversation_id=room, content='"data":{"id":"nobody"}')
    await other.expect("message.new")
    await socket.request("message.edit", message_id=sent["message_id"], content="y")
    refused = await socket.request("message.send", conversation_id=str(uuid.uuid4()), content="z")
    assert refused["code"] == "not_found"

    trace_id = uuid.UUID(sent["message_id"]).bytes
    edited = {("gateway", "message.edit"), ("chat-api", "message.edit")}
    await until(lambda: collector.of(trace_id).keys() == SEND_STEPS | edited, COLLECTED_S)
    steps = collector.of(trace_id)
    root = steps["gateway", "message.send"]
    assert (root.parent_span_id, root.span_id) == (b"", trace_id[8:])
    for step in SEND_STEPS - {("gateway", "message.send")}:
        assert steps[step].parent_span_id == root.span_id
        assert root.start_time_unix_nano <= steps[step].end_time_unix_nano
    assert steps["chat-api", "message.edit"].parent_span_id == steps["gateway", "message.edit"].span_id != b""
    failed = [span for _, span in collector.spans if span.status.code == span.status.STATUS_CODE_ERROR]
    assert {attribute.value.string_value for span in failed for attribute in span.attributes} == {"not_found"}


async def test_what_services_do_among_themselves_every_second_is_not_followed(
    crowd: Crowd, collector: Collector
) -> None:
    await crowd.newcomer().connect()
    await crowd.newcomer().get("/stats")
    await until(
        lambda: (
            {name for name, span in collector.spans if span.name == "stats.get"} == {"gateway", "presence"}
        ),
        COLLECTED_S,
    )
    assert not [span.name for _, span in collector.spans if "report" in span.name or "heads" in span.name]


def test_without_a_collector_there_is_nothing_of_it() -> None:
    # redis-py imports other parts of OpenTelemetry itself, where they are installed.
    unwanted = {"messenger_shared.tracing.spans", "opentelemetry.exporter"}
    imported = "import gateway.app, chat_api.app, presence.app, sys"
    code = f"{imported}; sys.exit(not {unwanted}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
    assert make_spans(Environment({}), "gateway") is None


async def test_without_a_collector_the_hub_is_the_plain_one() -> None:
    assert type(make_hub(None)) is Hub


def test_a_share_of_all_messages_is_followed_and_everywhere_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.25")
    one, other = Spans("gateway"), Spans("chat-api")
    ids = [new_id() for _ in range(2_000)]
    followed = [one.begin(SEND.name, {"message_id": id_})[0].is_recording() for id_ in ids]
    assert followed == [other.begin(EDIT.name, {"message_id": id_})[0].is_recording() for id_ in ids]
    assert 400 < sum(followed) < 600


def test_without_the_extra_a_collector_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.delitem(sys.modules, "messenger_shared.tracing.spans", raising=False)
    with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_ENDPOINT is set, but the extra `otel`"):
        make_spans(Environment({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}), "gateway")


async def test_a_collector_that_is_away_costs_no_message_and_no_long_farewell(tmp_path: Path) -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY": "200"}
    async with (
        running_stack(tmp_path / "data", unused_port(), "gateway=1,chat-api=1,presence=1", env) as stack,
        open_crowd_at(stack) as crowd,
    ):
        room = await crowd.newcomer().create_group()
        user = crowd.users[0]
        for number in range(5):
            reply = await user.post(f"/conversations/{room}/messages", {"content": str(number)})
            assert reply.status == 201
