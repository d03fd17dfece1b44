"""Reads files at the end, as members and as others: who gets what, and whether the bytes are right."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import psycopg2

from chat_api.check import audit
from chat_api.file_check import compare_files, in_folder
from messenger_local.datadir import DataDir
from tests.faults.actors.device import Device
from tests.faults.actors.gateway_client import GONE, Transfer
from tests.faults.actors.population import Actors
from tests.faults.injection.deployment import Deployment
from tests.faults.record.database import TableReader, Tables
from tests.faults.record.history import ARCHIVE, Upload
from tests.faults.record.run import Violation

AT_ONCE = 8
_PAUSE_S = 0.2
# Of a lease of 60 s: a small file that was taken five seconds ago would be examined by now, and who still
# examines one renews the lease when it has 40 s left.
_STALE_S = 55
_LEFT_S = 35
_CERTAIN = frozenset((200, 404))


class _Reading(NamedTuple):
    """One download: whose file, by whom, and whether they may have it."""

    upload: Upload
    room: str
    device: Device
    is_allowed: bool


async def files_settled(tables: TableReader, timeout_s: float) -> None:
    """Returns when no file is pending, or after `timeout_s`: then the downloads tell which ones are."""
    await tables.hasten_examinations(_STALE_S)
    try:
        async with asyncio.timeout(timeout_s):
            while await tables.pending_files():
                await asyncio.sleep(_PAUSE_S)
                await tables.hasten_examinations(_LEFT_S)
    except TimeoutError:
        return


async def downloads(actors: Actors, tables: Tables, timeout_s: float) -> list[Violation]:
    """Finds files that a member can't read as they were uploaded, and those that others can read."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def judged(reading: _Reading) -> list[Violation]:
        async with slots:
            return list(_judged(reading, tables, await _read(reading)))

    try:
        async with asyncio.timeout(timeout_s):
            found = await asyncio.gather(*map(judged, _readings(actors, tables)))
    except GONE as error:
        return [Violation("refused", ARCHIVE, "", f"reading files: {error!r}")]
    return [violation for violations in found for violation in violations]


async def inconsistencies(deployment: Deployment) -> list[Violation]:
    """Finds what `messenger check` finds: in the tables, and between these and the folder of files."""
    url, folder = deployment.stack.database_url, DataDir(deployment.stack.data_dir).files
    return [
        Violation("inconsistent", ARCHIVE, "", line) for line in await asyncio.to_thread(_audit, url, folder)
    ]


def _audit(url: str, folder: Path) -> list[str]:
    with closing(psycopg2.connect(url)) as connection:
        # All questions see the same moment.
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            return audit(cursor, repair=False) + compare_files(cursor, lambda: in_folder(folder))


def _readings(actors: Actors, tables: Tables) -> Iterator[_Reading]:
    """Yields for each file of a message a member and a stranger; for any other file its owner."""
    history = actors.history
    devices = {user.user_id: user.devices[0] for user in actors.all_users}
    stranger = actors.probes[0].users[0].devices[0]
    kept: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for room, rows in tables.attached.items():
        seqs = {message.id: message.seq for message in tables.messages[room]}
        for attached in rows:
            for file_id in attached.file_ids:
                kept[file_id].append((room, seqs[attached.id]))
    stored = [message.key for messages in tables.messages.values() for message in messages]
    sent = {history.sends[key].file_id for key in stored if key in history.sends}
    for upload in history.uploads.values():
        for room, seq in kept.get(upload.file_id, ()):
            members = [one for one in history.members[room] if tables.may_see(one, room, seq)]
            member = members[zlib.crc32(f"{upload.file_id}{seq}".encode()) % len(members)]
            yield _Reading(upload, room, devices[member], is_allowed=True)
            yield _Reading(upload, room, stranger, is_allowed=False)
        if upload.acked and upload.file_id not in kept:
            # Either no message ever had it, or every message that had it is deleted.
            is_unsent = upload.file_id not in sent
            yield _Reading(upload, "", devices[upload.user_id], is_allowed=is_unsent)


async def _read(reading: _Reading) -> Transfer:
    while True:
        got = await reading.device.gateway.download(reading.upload.file_id, reading.device.token)
        if got.status in _CERTAIN:
            return got
        await asyncio.sleep(_PAUSE_S)


def _judged(reading: _Reading, tables: Tables, got: Transfer) -> Iterator[Violation]:
    upload, device_id = reading.upload, reading.device.device_id
    if not reading.is_allowed:
        if got.status == 200:
            yield Violation("leaked", device_id, reading.room, f"the bytes of {upload}")
    elif got.status != 200:
        yield Violation("lost", device_id, reading.room, f"the bytes of {upload}")
    elif upload.is_picture:
        file = tables.files[upload.file_id]
        if len(got.body) != file.size:
            yield Violation("altered", device_id, reading.room, f"{len(got.body)} bytes of {upload}, {file}")
    elif hashlib.sha256(got.body).hexdigest() != upload.sha256:
        yield Violation("altered", device_id, reading.room, f"{got.body!r} of {upload}")
