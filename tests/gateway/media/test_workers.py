"""Worker processes end: at their deadline, when nobody wants their answer, and on stop. A few run at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
import uvloop

from gateway.media import processor as module
from gateway.media.processor import MediaBusy, MediaProcessor, MediaRefused
from tests.gateway.media.conftest import Instead, Process, children
from tests.gateway.media.samples import encoded, picture
from tests.waiting import until

# What a worker does instead of its work.
HANG = "import time; time.sleep(1000)"


def png() -> bytes:
    return encoded(picture(), "PNG")


async def test_a_worker_is_killed_at_its_deadline(
    process: Process, instead: Instead, no_child_is_left: Callable[[], None], tmp_path: Path
) -> None:
    instead(HANG, deadline_s=1)
    for mime, kind in (("image/png", "image"), ("audio/mpeg", "audio")):
        (tmp_path / "results").mkdir(exist_ok=True)
        (tmp_path / "results" / "320.webp").write_bytes(b"a half one")
        if kind == "image":
            with pytest.raises(MediaBusy):
                await process(png(), mime, kind)
            assert not list((tmp_path / "results").iterdir())
        else:
            assert (await process(png(), mime, kind)).duration_ms is None
        no_child_is_left()


async def test_a_worker_is_killed_when_its_caller_is_cancelled(
    process: Process, instead: Instead, no_child_is_left: Callable[[], None]
) -> None:
    instead(HANG)
    before = len(children())
    for waits in (lambda: True, lambda: len(children()) > before):
        task = asyncio.ensure_future(process(png(), "image/png"))
        await asyncio.sleep(0)
        await until(waits)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        no_child_is_left()


async def test_stop_kills_workers_and_ends_the_line(
    process: Process,
    processor: MediaProcessor,
    instead: Instead,
    no_child_is_left: Callable[[], None],
) -> None:
    instead(HANG)
    before = len(children())
    tasks = [asyncio.ensure_future(process(png(), "image/png")) for _ in range(5)]
    await until(lambda: len(children()) == before + 2)
    await processor.stop()
    no_child_is_left()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [MediaBusy] * 5
    with pytest.raises(MediaBusy):
        await process(png(), "image/png")
    # It can begin again.
    instead("")
    await processor.start()
    with pytest.raises(MediaRefused):
        await process(png(), "image/png")


async def test_fifty_files_at_once_are_two_processes_at_a_time(process: Process) -> None:
    before, most = set(children()), 0
    tasks = asyncio.gather(*(process(png(), "image/png") for _ in range(50)))
    while not tasks.done():
        most = max(most, len(set(children()) - before))
        await asyncio.wait([tasks], timeout=0.02)
    assert {media.width for media in await tasks} == {600}
    assert 0 < most <= 2


async def test_the_line_has_an_end_and_nobody_waits_for_ever(
    process: Process, instead: Instead, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead(HANG)
    monkeypatch.setattr(module, "MAX_WAITING", 10)
    monkeypatch.setattr(module, "WAIT_S", 0.2)
    tasks = [asyncio.ensure_future(process(png(), "image/png")) for _ in range(50)]
    # Two run, ten wait and give up, the rest is turned away.
    done: set[asyncio.Future[object]] = set()
    async with asyncio.timeout(60):
        while len(done) < 48:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0.01)
    reasons = [str(task.exception()) for task in done]
    assert (reasons.count("too many files are waiting"), reasons.count("other files took too long")) == (
        38,
        10,
    )
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "x" * 100_000,
        "[]",
        "7",
        '{"width": -1}',
        '{"width": 1.5}',
        '{"height": 99999999999}',
        '{"blurhash": "<script>"}',
        '{"blurhash": 7}',
        '{"thumbs": 320}',
        '{"thumbs": {}}',
        '{"duration_ms": true}',
    ],
)
async def test_an_answer_that_no_worker_gives_is_refused(
    process: Process, instead: Instead, answer: str
) -> None:
    instead(f"print({answer!r}, flush=True)")
    with pytest.raises(MediaRefused):
        await process(png(), "image/png")


async def test_a_process_that_can_not_be_started_is_for_later(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_COMMAND", ("/nonexistent",))
    with pytest.raises(MediaBusy):
        await process(png(), "image/png")


def _on_uvloop(work: Coroutine[object, object, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


def test_workers_end_in_the_event_loop_of_the_gateway_too(
    instead: Instead, no_child_is_left: Callable[[], None], tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(png())

    async def work() -> None:
        processor = MediaProcessor()
        await processor.start()
        arguments = (tmp_path / "source", "image/png", "image", tmp_path)
        assert (await processor.process(*arguments)).width == 600
        instead(HANG)
        before = len(children())
        tasks = [asyncio.ensure_future(processor.process(*arguments)) for _ in range(3)]
        await until(lambda: len(children()) == before + 2)
        tasks[0].cancel()
        await asyncio.wait(tasks[:1])
        await processor.stop()
        no_child_is_left()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError, MediaBusy, MediaBusy]

    _on_uvloop(work())


def test_the_process_of_the_gateway_never_imports_readers_of_files() -> None:
    code = (
        "import sys, gateway.app, gateway.media.processor, gateway.media.scanner, gateway.media.worker; "
        "print(sorted({'PIL', 'blurhash', 'tinytag'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
