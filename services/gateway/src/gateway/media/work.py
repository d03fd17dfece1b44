"""What the worker process does with its file. Every failure that the file causes is a refusal."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Any, Final

from gateway.media.durations import duration_ms
from gateway.media.formats.cleaning import without_metadata
from gateway.media.formats.parts import Malformed, Parts
from gateway.media.job import Job, cleaned_path, thumb_path
from gateway.media.pictures import Picture, blurred, thumbnails
from gateway.media.upright import upright

# One that is larger may take a gigabyte, so there is only one at a time, over all gateways of a container.
LARGE_PIXELS: Final = 25_000_000


def answer(job: Job) -> dict[str, Any]:
    """The result, or why there is none: `refused` for good, `busy` for now."""
    try:
        if job.kind == "image":
            return _picture(job)
        return {"duration_ms": duration_ms(Path(job.source))}
    except Malformed as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": "it takes too much memory"}
    except OSError as error:
        # Errors of Pillow have no number. EFBIG is the limit of what may be written.
        if error.errno is None or error.errno == errno.EFBIG:
            return {"refused": "it can't be read"}
        return {"busy": f"the disk: {error.strerror}"}
    except Exception as error:
        # A reader of hostile content may raise anything.
        return {"refused": f"it can't be read: {type(error).__name__}"}


def _picture(job: Job) -> dict[str, Any]:
    directory = Path(job.directory)
    picture = Picture.read(Path(job.source), job.mime)
    if picture.width * picture.height > LARGE_PIXELS:
        _wait_for_the_others()
    thumbs = thumbnails(picture)
    cleaned = None if job.keeps_metadata else _cleaned(picture)
    hash_ = blurred(thumbs.smallest)
    for size, content in thumbs.encoded.items():
        thumb_path(directory, size).write_bytes(content)
    if cleaned is not None:
        with cleaned_path(directory).open("wb") as file:
            file.writelines(cleaned)
    return {
        "width": picture.width,
        "height": picture.height,
        "blurhash": hash_,
        "thumbs": list(thumbs.encoded),
        "cleaned": cleaned is not None,
    }


def _wait_for_the_others() -> None:
    """Waits until no other process of this container has a large picture. The lock ends with the process."""
    file = os.open(__file__, os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(file, fcntl.LOCK_EX)


def _cleaned(picture: Picture) -> Parts | None:
    """The picture upright and without metadata; None if it is so already."""
    parts = picture.parts
    if parts is None or picture.orientation != 1:
        parts = without_metadata(picture.mime, upright(picture))
        if parts is None:
            raise Malformed("it can't be cleaned")
    elif _are_equal(parts, picture.data):
        return None
    size = Picture.of(b"".join(parts), picture.mime).size
    if size != (picture.width, picture.height):
        raise Malformed("it can't be cleaned")
    return parts


def _are_equal(parts: Parts, data: bytes) -> bool:
    return sum(map(len, parts)) == len(data) and b"".join(parts) == data
