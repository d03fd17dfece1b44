"""Folders for what is needed only while one file is examined: a copy of it, its previews."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

# On a disk, also where /tmp is in memory. Where nobody may write there, they are in the usual place.
PLACE: Final = Path("/var/tmp")


@asynccontextmanager
async def scratch_folder() -> AsyncIterator[Path]:
    """An empty folder, which is removed at the end."""
    place = PLACE if os.access(PLACE, os.W_OK) else None
    path = await asyncio.to_thread(tempfile.mkdtemp, prefix="messenger-file-", dir=place)
    try:
        yield Path(path)
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, path, ignore_errors=True))
