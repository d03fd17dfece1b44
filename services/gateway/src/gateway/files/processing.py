"""Examines files that are complete: asks the scanner, makes previews, and tells chat-api how it ended.

chat-api has the queue of these files. A worker takes one for the time of a lease, which it renews. If the
worker dies, another one takes the file when the lease ends. A file that can't be examined now is put back,
each time for longer.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any, Final

from gateway.files.examination import Examination, Later, Outcome
from gateway.files.store import ByteStore, FileData
from gateway.metrics import EXAMINATION_TIME, FILES_EXAMINED, FILES_IN_EXAMINATION
from gateway.sockets.commands import ask
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.contract.operations.internal import files as rows
from messenger_shared.contract.schemas.files import REJECTED
from messenger_shared.rpc.client import RpcClient

log = logging.getLogger(__name__)

# Files in work at once, and files that this worker has taken in total.
AT_ONCE: Final = 2
MAX_TAKEN: Final = 32
# For all but telling the outcome: the wait for a slot, the scanner and the previews, which have their own.
DEADLINE_S: Final = 400.0
RENEW_S: Final = rows.LEASE_S / 3
# How long a completion waits for the outcome.
COMPLETE_WAIT_S: Final = 5.0
# At random, so that workers that started together don't ask together.
PAUSE_S: Final = (5.0, 10.0)
# The first and the longest time until a file is tried again, and how often that is worth it.
RETRY_S: Final = 30
RETRY_MAX_S: Final = 1_800
ATTEMPTS_MAX: Final = 10
PUT_BACK_S: Final = 2.0


class FileProcessing:
    """The files that this worker examines: those completed here at once, and others' when they are due."""

    def __init__(self, rpc: RpcClient, store: ByteStore, examination: Examination) -> None:
        self._rpc = rpc
        self._store = store
        self._examination = examination
        self._slots = asyncio.Semaphore(AT_ONCE)
        # By file id.
        self._tasks: dict[str, asyncio.Task[FileData | None]] = {}
        self._sweeper: asyncio.Task[None] | None = None
        self._is_stopping = False

    async def start(self) -> None:
        """Starts to take files that are due."""
        self._sweeper = asyncio.create_task(self._sweep(), name="file processing")

    async def stop(self) -> None:
        """Ends what is under way; other workers may take these files at once."""
        self._is_stopping = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        files, tasks = list(self._tasks), list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if files:
            await asyncio.wait(
                [asyncio.ensure_future(self._put_back(id_, 0)) for id_ in files], timeout=PUT_BACK_S
            )

    def must_examine(self, kind: str) -> bool:
        """Whether a file of this kind is pending at first."""
        return self._examination.must_examine(kind)

    @property
    def has_room(self) -> bool:
        """Whether this worker can take another file."""
        return len(self._tasks) < MAX_TAKEN and not self._is_stopping

    async def examined(self, file: FileData, *, is_taken: bool = False) -> FileData:
        """The pending file after a short wait for its outcome: as it is then, maybe still pending.

        `is_taken`: this worker has just taken it, and begins to examine it.
        """
        task = self._begin(file, 1) if is_taken else self._tasks.get(file["file_id"])
        if task is None:
            return file
        await asyncio.wait({task}, timeout=COMPLETE_WAIT_S)
        return (task.result() if task.done() and not task.cancelled() else None) or file

    def _begin(self, file: FileData, attempts: int) -> asyncio.Task[FileData | None]:
        file_id = file["file_id"]
        if file_id not in self._tasks:
            task = asyncio.create_task(self._process(file, attempts), name="file examination")
            self._tasks[file_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(file_id, None))
        return self._tasks[file_id]

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(random.uniform(*PAUSE_S))
            try:
                while await self.take_due():
                    await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
            except AppError as error:
                log.info("files are examined later: %s", error.kind.code)

    async def take_due(self) -> int:
        """Takes files that are due, as many as it can examine at once; returns how many. Raises AppError."""
        room = AT_ONCE - len(self._tasks)
        if room <= 0:
            return 0
        found = (await ask(self._rpc, rows.TAKE_PENDING, {"limit": room}, SERVER))["files"]
        for file in found:
            self._begin(file, file["attempts"])
        return len(found)

    async def _process(self, file: FileData, attempts: int) -> FileData | None:
        """The file as it is afterwards; None if it stays pending, or was removed."""
        with FILES_IN_EXAMINATION.track_inprogress(), EXAMINATION_TIME.time():
            name, settled = "failed", None
            lease = asyncio.create_task(self._renew(file["file_id"]), name="file lease")
            try:
                name, settled = await self._settle(file, attempts)
            except Later as reason:
                name = "later"
                log.info("file %s is examined later: %s", file["file_id"], reason)
            except (AppError, TimeoutError) as error:
                log.warning("file %s is examined later: %r", file["file_id"], error)
            except Exception:
                log.exception("the examination of file %s failed", file["file_id"])
            finally:
                lease.cancel()
                await asyncio.gather(lease, return_exceptions=True)
            FILES_EXAMINED.labels(name).inc()
            if name in ("later", "failed"):
                await self._put_back(file["file_id"], min(RETRY_S * 2 ** (attempts - 1), RETRY_MAX_S))
            return settled

    async def _settle(self, file: FileData, attempts: int) -> tuple[str, FileData | None]:
        """The name of the outcome, and the file afterwards."""
        if file["state"] == REJECTED:
            await self._empty(file)
            return "emptied", file
        async with asyncio.timeout(DEADLINE_S), self._slots:
            outcome = await (
                self._examination.give_up(file)
                if attempts > ATTEMPTS_MAX
                else self._examination.examine(file)
            )
        settled = await self._tell(file, outcome)
        if settled is None:
            return "removed", None
        if settled["state"] == REJECTED:
            await self._empty(settled)
        return outcome.name, settled

    async def _renew(self, file_id: str) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            await self._put_back(file_id, rows.LEASE_S)

    async def _tell(self, file: FileData, outcome: Outcome) -> FileData | None:
        """The file as it is now; None if it was removed meanwhile."""
        body: dict[str, Any] = {"file_id": file["file_id"], "mime": file["mime"], **outcome.fields}
        try:
            settled: FileData = await ask(self._rpc, rows.PROCESSED, body, SERVER)
        except AppError as error:
            if error.kind is not errors.NOT_FOUND:
                raise
            # Its previews may have been kept after its bytes were removed.
            await self._store.remove(file["file_id"])
            return None
        return settled

    async def _empty(self, file: FileData) -> None:
        """Removes the bytes of a rejected file. If this fails, the file comes again."""
        await self._store.remove(file["file_id"])
        await ask(self._rpc, rows.REMOVED, {"file_ids": [file["file_id"]]}, SERVER)

    async def _put_back(self, file_id: str, after_s: int) -> None:
        """If this fails, the lease ends by itself."""
        try:
            await ask(self._rpc, rows.PUT_BACK, {"file_id": file_id, "after_s": after_s}, SERVER)
        except AppError as error:
            log.info("file %s is examined when its lease ends: %s", file_id, error.kind.code)
