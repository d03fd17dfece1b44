"""Runs a worker process per file: a few at once, each with a deadline. The others wait, but not too many.

The process is killed and reaped when its deadline passes, when its caller is cancelled, and on stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from gateway.media.job import THUMBS, Job, Limits, cleaned_path, thumb_path

log = logging.getLogger(__name__)

LIMITS: Final = Limits()
# So many files may wait for a worker, each for at most so long.
MAX_WAITING: Final = 200
WAIT_S: Final = 60.0
# The worker needs no more for its answer, so what has more is not from our code.
_ANSWER_BYTES: Final = 4_096
_COMMAND: Final = (sys.executable, "-I", "-m", "gateway.media.worker")
# The gateway's own environment has secrets.
_ENVIRONMENT: Final = {"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}
_KINDS: Final = ("image", "audio", "video")
_MAX_SIDE: Final = 90_000_000
_MAX_MS: Final = 2**53
WRONG_ANSWER: Final = "its process gave a wrong answer"
_BLURHASH: Final = re.compile(r"[0-9A-Za-z#$%*+,\-.:;=?@\[\]^_{|}~]{6,100}")


class Media(NamedTuple):
    """What a file shows: sides in pixels, upright; the blurred picture; the duration in ms.

    `thumbs` has the paths of thumbnails by the longest side that they may have. `cleaned` is the path of the
    original without metadata and upright; None if the original can stay as it is.
    """

    width: int | None = None
    height: int | None = None
    blurhash: str | None = None
    duration_ms: int | None = None
    thumbs: Mapping[int, Path] = {}
    cleaned: Path | None = None


class MediaRefused(Exception):
    """The content can't be read as what it claims to be, or exceeds a limit. The text says why, for a log."""


class MediaBusy(Exception):
    """There is no room or no time for the file now; it may be tried later."""


class MediaProcessor:
    """Processes files, `at_once` at the same time. Originals lose their metadata unless `keeps_metadata`."""

    def __init__(self, keeps_metadata: bool = False, at_once: int = 2) -> None:
        self._keeps_metadata = keeps_metadata
        self._slots = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._runs: set[asyncio.Task[dict[str, Any]]] = set()
        self._is_running = False

    async def start(self) -> None:
        """From now on files are processed."""
        self._is_running = True

    async def stop(self) -> None:
        """Kills all workers, and returns when they are gone. Their callers get MediaBusy."""
        self._is_running = False
        runs = list(self._runs)
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)

    async def process(self, source: Path, mime: str, kind: str, directory: Path) -> Media:
        """What the file shows. Thumbnails and the cleaned original are written into `directory`.

        Of audio and video it reads the duration only, and never refuses them; of other kinds nothing. Raises
        MediaRefused and MediaBusy, and leaves nothing in `directory` then.
        """
        if kind not in _KINDS:
            return Media()
        job = Job(str(source), mime, kind, str(directory), self._keeps_metadata, LIMITS)
        try:
            return _media(await self._answer(job), directory)
        except BaseException as error:
            _remove_results(directory)
            if kind != "image" and isinstance(error, MediaRefused):
                log.info("the duration of a file can't be read: %s", error)
                return Media()
            raise

    async def _answer(self, job: Job) -> dict[str, Any]:
        if not self._is_running:
            raise MediaBusy("nothing is processed now")
        run = asyncio.create_task(self._run(job), name="media")
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)
        try:
            return await run
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise MediaBusy("nothing is processed any more") from None

    async def _run(self, job: Job) -> dict[str, Any]:
        async with self._slot():
            try:
                async with asyncio.timeout(job.limits.deadline_s):
                    return await _answer_of_worker(job)
            except TimeoutError:
                if job.kind != "image":
                    return {}
                raise MediaBusy("it took too long") from None

    @contextlib.asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING:
            raise MediaBusy("too many files are waiting")
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_S):
                await self._slots.acquire()
        except TimeoutError:
            raise MediaBusy("other files took too long") from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()


async def _answer_of_worker(job: Job) -> dict[str, Any]:
    process = await _started(job)
    try:
        assert process.stdout is not None
        answer = b""
        while len(answer) <= _ANSWER_BYTES and (chunk := await process.stdout.read(_ANSWER_BYTES)):
            answer += chunk
        if len(answer) > _ANSWER_BYTES:
            raise MediaRefused("it took its process over")
        return _decoded(answer, await process.wait())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _started(job: Job) -> asyncio.subprocess.Process:
    """A new worker. If the caller is cancelled meanwhile, the worker is killed."""
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *_COMMAND,
            job.encode(),
            env=_ENVIRONMENT,
            cwd="/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        process = await starting
        process.kill()
        await process.wait()
        raise
    except OSError as error:
        raise MediaBusy(f"no process can be started: {error.strerror}") from error


def _decoded(answer: bytes, code: int) -> dict[str, Any]:
    """The answer of a worker that ended with this code. Raises MediaRefused and MediaBusy."""
    if -code in (signal.SIGKILL, signal.SIGALRM):
        # By the system, which may have too little memory. The worker's own limits end it in other ways.
        raise MediaBusy("the system ended its process")
    if code:
        raise MediaRefused(f"its process ended with {code}")
    try:
        decoded = json.loads(answer)
    except ValueError:
        decoded = None
    if not isinstance(decoded, dict):
        raise MediaRefused(WRONG_ANSWER)
    if "busy" in decoded:
        log.warning("media: %s", decoded["busy"])
        raise MediaBusy(str(decoded["busy"]))
    if "refused" in decoded:
        raise MediaRefused(str(decoded["refused"]))
    return decoded


def _media(answer: dict[str, Any], directory: Path) -> Media:
    """The checked answer, since a file may have taken the worker over. Raises MediaRefused."""
    hash_, thumbs = answer.get("blurhash"), answer.get("thumbs", [])
    if hash_ is not None and not (isinstance(hash_, str) and _BLURHASH.fullmatch(hash_)):
        raise MediaRefused(WRONG_ANSWER)
    if not isinstance(thumbs, list):
        raise MediaRefused(WRONG_ANSWER)
    return Media(
        width=_number(answer.get("width"), _MAX_SIDE),
        height=_number(answer.get("height"), _MAX_SIDE),
        blurhash=hash_,
        duration_ms=_number(answer.get("duration_ms"), _MAX_MS),
        thumbs={size: thumb_path(directory, size) for size in THUMBS if size in thumbs},
        cleaned=cleaned_path(directory) if answer.get("cleaned") is True else None,
    )


def _number(value: object, most: int) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 < value <= most:
        raise MediaRefused(WRONG_ANSWER)
    return value


def _remove_results(directory: Path) -> None:
    for path in (cleaned_path(directory), *(thumb_path(directory, size) for size in THUMBS)):
        with contextlib.suppress(OSError):
            path.unlink()
