"""Uploads of one user: small texts, and pictures, which are pending until they are examined."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from itertools import count
from random import Random

from tests.e2e.uploads import png
from tests.faults.actors.device import Device
from tests.faults.actors.repetition import Outcome, until_certain
from tests.faults.record.events import Frame
from tests.faults.record.history import History, Upload

# How often a user sends an earlier file again, and uploads a picture rather than a text.
AGAIN = 0.2
PICTURES = 0.5
# Large enough for a preview.
SIDES = (320, 200)
OFFSET = "Upload-Offset"
# An answer to HEAD has no body that names its error.
_CODES = {429: "rate_limited", 500: "internal", 503: "unavailable", 504: "timeout"}

Ask = Callable[[], Awaitable[Outcome]]


class Uploads:
    """The files of one user, who uploads with any of their devices. `check` takes each outcome."""

    def __init__(
        self,
        user_id: int,
        device: Callable[[], Device],
        history: History,
        random: Random,
        check: Callable[[Outcome], None],
    ) -> None:
        self._user_id = user_id
        self._device = device
        self._history = history
        self._random = random
        self._check = check
        self._numbers = count(1)
        self._own: list[Upload] = []

    async def next(self) -> Upload | None:
        """Returns a file whose bytes are there, a new or an earlier one; None if a new one is refused."""
        if self._own and self._random.random() < AGAIN:
            return self._random.choice(self._own)
        content, is_picture = self._new_content()
        mime = "image/png" if is_picture else "text/plain"
        body = {"name": f"a file {next(self._numbers)}", "size": len(content), "mime": mime}
        created = await self._ask(lambda: _call(self._device(), "POST", "/files", body))
        if created is None:
            return None
        target = created["upload"]
        if await self._ask(lambda: _put(self._device(), target, content)) is None:
            return None
        file_id, digest = created["file_id"], hashlib.sha256(content).hexdigest()
        upload = self._history.uploads[file_id] = Upload(file_id, self._user_id, digest, is_picture)
        self._own.append(upload)
        return upload

    async def complete(self, upload: Upload) -> None:
        """Completes the upload; the answer waits for the examination, at most 5 s."""
        path = f"/files/{upload.file_id}/complete"
        done = await self._ask(lambda: _call(self._device(), "POST", path))
        upload.acked = upload.acked or done is not None

    async def _ask(self, ask: Ask) -> Frame | None:
        outcome = await until_certain(ask, self._random, self._check)
        self._check(outcome)
        return outcome.data

    def _new_content(self) -> tuple[bytes, bool]:
        text = f"{self._user_id} {self._random.random()} ".encode() * 20
        is_picture = self._random.random() < PICTURES
        return (png(*SIDES, b"tEXtComment\0" + text) if is_picture else text), is_picture


async def _call(device: Device, method: str, path: str, body: Frame | None = None) -> Outcome:
    return Outcome.of_reply(await device.gateway.call(method, path, device.token, body))


async def _put(device: Device, target: Frame, content: bytes) -> Outcome:
    """Sends the bytes that aren't there yet."""
    gateway, url, headers = device.gateway, target["url"], target["headers"]
    told = await gateway.transfer("HEAD", url, headers)
    if told.status != 200:
        return Outcome(None, _CODES.get(told.status, f"status {told.status}"))
    offset = int(told.headers[OFFSET])
    if offset == len(content):
        return Outcome({})
    headers = {**headers, OFFSET: str(offset)}
    sent = await gateway.transfer(target["method"], url, headers, content[offset:])
    return Outcome.of_reply(sent.reply())
