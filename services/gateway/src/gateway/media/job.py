"""What the gateway gives to a worker process: the file, what to do, and the limits of the process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

# The longest side of thumbnails, in pixels.
THUMBS: Final = (320, 840)
CLEANED: Final = "cleaned"
# A JPEG of 90 megapixels that is turned takes the most: its coefficients, its pixels, and those turned.
MEMORY_BYTES: Final = 1_610_612_736
# Of a process's life. A nice one on a busy machine takes several times its CPU time.
DEADLINE_S: Final = 120


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one worker process. The memory is address space."""

    memory_bytes: int = MEMORY_BYTES
    cpu_s: int = 60
    written_bytes: int = 256 * 1024**2
    deadline_s: int = DEADLINE_S
    nice: int = 10


@dataclass(frozen=True, slots=True)
class Job:
    """One file to process. `kind` is image, audio or video; results are written into `directory`."""

    source: str
    mime: str
    kind: str
    directory: str
    keeps_metadata: bool
    limits: Limits

    def encode(self) -> str:
        """The job as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> Job:
        """The job that `encode` wrote."""
        fields: dict[str, Any] = json.loads(text)
        return cls(**{**fields, "limits": Limits(**fields["limits"])})


def thumb_path(directory: Path, size: int) -> Path:
    """Where the thumbnail of this size is."""
    return directory / f"{size}.webp"


def cleaned_path(directory: Path) -> Path:
    """Where the original without its metadata is."""
    return directory / CLEANED
