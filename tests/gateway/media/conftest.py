"""Fixtures of the tests of media: a processor, and how a test has it process a content."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.media.processor import Media, MediaProcessor

Process = Callable[..., Awaitable[Media]]


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
