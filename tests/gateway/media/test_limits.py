"""Worker processes have limits: of memory, of CPU time, of what they know, and of large pictures at once."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from gateway.media import processor as module
from gateway.media.job import Limits
from gateway.media.processor import Media, MediaBusy, MediaProcessor, MediaRefused
from tests.gateway.media.conftest import Instead, Process, limits
from tests.gateway.media.samples import encoded, picture

# What a worker does instead of its work, once it has set its limits.
SPIN = "while True: pass"
TELL = """
import json, os, resource, signal
names = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_CORE")
limits = {name: resource.getrlimit(getattr(resource, name)) for name in names}
told = {"limits": limits, "alarm": signal.alarm(0), "nice": os.nice(0), "env": dict(os.environ)}
told["oom"] = open("/proc/self/oom_score_adj").read()
print(json.dumps({"refused": json.dumps(told)}))
"""


def png() -> bytes:
    return encoded(picture(), "PNG")


async def test_a_worker_has_limits_and_no_secrets(
    process: Process, instead: Instead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESSENGER_JWT_SECRET", "secret")
    usual = Limits()
    instead(TELL, deadline_s=usual.deadline_s, nice=usual.nice)
    with pytest.raises(MediaRefused) as caught:
        await process(png(), "image/png")
    told = json.loads(str(caught.value))
    assert told["limits"] == {
        "RLIMIT_AS": [usual.memory_bytes] * 2,
        "RLIMIT_CPU": [usual.cpu_s, usual.cpu_s + 1],
        "RLIMIT_FSIZE": [usual.written_bytes] * 2,
        "RLIMIT_CORE": [0, 0],
    }
    assert told["nice"] >= min(os.nice(0) + 10, 19)
    assert told["oom"].strip() == "1000"
    assert usual.deadline_s < told["alarm"]
    assert "secret" not in str(told["env"])


async def test_too_much_memory_is_refused(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    large = encoded(Image.new("RGBA", (9_000, 9_000)), "PNG", compress_level=1)
    monkeypatch.setattr(module, "LIMITS", limits(memory_bytes=350 * 1024**2))
    with pytest.raises(MediaRefused):
        await process(large, "image/png")
    assert (await process(png(), "image/png")).width == 600
    monkeypatch.setattr(module, "LIMITS", limits())
    assert (await process(large, "image/png")).width == 9_000


async def test_large_pictures_are_processed_one_after_the_other(
    processor: MediaProcessor, tmp_path: Path
) -> None:
    async def run(name: str, content: bytes) -> Media:
        (tmp_path / name).mkdir()
        (tmp_path / name / "source").write_bytes(content)
        return await processor.process(tmp_path / name / "source", "image/png", "image", tmp_path / name)

    another = os.open(module.__file__.replace("processor", "work"), os.O_RDONLY)
    fcntl.flock(another, fcntl.LOCK_EX)
    large = asyncio.ensure_future(run("large", encoded(Image.new("1", (5_001, 5_000)), "PNG")))
    assert (await run("small", png())).width == 600
    assert not large.done()
    os.close(another)
    assert (await large).width == 5_001


async def test_too_much_memory_for_the_libraries_is_no_fault_of_the_file(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys; sys.modules['PIL'] = None; from gateway.media import worker; "
    code += "print(worker.json.dumps(worker.main(sys.argv[1])))"
    monkeypatch.setattr(module, "_COMMAND", (sys.executable, "-I", "-c", code))
    with pytest.raises(MediaBusy, match="libraries"):
        await process(png(), "image/png")


async def test_too_much_cpu_time_is_refused(
    process: Process, instead: Instead, no_child_is_left: Callable[[], None]
) -> None:
    instead(SPIN, cpu_s=1)
    with pytest.raises(MediaRefused):
        await process(png(), "image/png")
    no_child_is_left()
