"""Fixtures of the tests of media: a processor, and how a test has it process a content."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.media import processor as module
from gateway.media.job import Limits
from gateway.media.processor import Media, MediaProcessor

Process = Callable[..., Awaitable[Media]]
Instead = Callable[..., None]


def limits(**changed: int) -> Limits:
    """Returns the usual limits with changes. A busy machine would let a nice process wait for minutes."""
    return Limits(**{"nice": 0, "deadline_s": 500, **changed})


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMITS", limits())
    monkeypatch.setattr(module, "WAIT_S", 500.0)


@pytest.fixture
async def processor() -> AsyncIterator[MediaProcessor]:
    processor = MediaProcessor()
    await processor.start()
    yield processor
    await processor.stop()


@pytest.fixture
def process(processor: MediaProcessor, tmp_path: Path) -> Process:
    """Returns a function that processes a content of a type, by default of the kind image."""

    async def run(content: bytes, mime: str, kind: str = "image", by: MediaProcessor = processor) -> Media:
        source = tmp_path / "source"
        source.write_bytes(content)
        results = tmp_path / "results"
        results.mkdir(exist_ok=True)
        return await by.process(source, mime, kind, results)

    return run


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch) -> Instead:
    """Returns a function that has workers run other code, within limits, after they have set these."""

    def replace(code: str, **changed: int) -> None:
        start = (
            "import sys; from gateway.media import worker; from gateway.media.job import Job; "
            "worker.limit(Job.decode(sys.argv[1]).limits)\n"
        )
        monkeypatch.setattr(module, "_COMMAND", (sys.executable, "-I", "-c", start + code))
        monkeypatch.setattr(module, "LIMITS", limits(**changed))

    return replace


def children() -> list[int]:
    """The ids of this process's child processes that run Python, also of those that nobody has reaped."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if int(rest.split()[1]) == os.getpid() and name.startswith("python"):
            found.append(int(status.parent.name))
    return found


@pytest.fixture
def no_child_is_left() -> Callable[[], None]:
    before = set(children())

    def check() -> None:
        assert set(children()) <= before

    return check
