"""Encodes a picture anew, upright, where its metadata can't be removed without that."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageSequence

from gateway.media.formats.parts import Malformed
from gateway.media.pictures import Picture, open_image, turned

# Of WebP that isn't lossless.
_QUALITY: Final = 95
# What an encoder needs to know of the original: how its colours are meant, and which one is transparent.
_KEPT: Final = ("icc_profile", "transparency")


def upright(picture: Picture) -> bytes:
    """The picture as a file of its own type, turned by its orientation. Raises what Pillow raises."""
    if picture.mime not in _OPTIONS:
        raise Malformed("it can't be cleaned")
    with open_image(picture.data, picture.mime) as image:
        options = _OPTIONS[picture.mime](image, picture)
        if picture.mime != "image/jpeg" and getattr(image, "n_frames", 1) > 1:
            return _animation(image, picture.orientation, options)
        return _encoded(_plain(image, picture.orientation), options)


def _animation(image: Image.Image, orientation: int, options: dict[str, Any]) -> bytes:
    frames, durations = [], []
    loop = image.info.get("loop", 0)
    for frame in ImageSequence.Iterator(image):
        frames.append(_plain(frame.copy(), orientation))
        durations.append(frame.info.get("duration", 0))
    more = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": loop}
    return _encoded(frames[0], {**options, **more})


def _plain(image: Image.Image, orientation: int) -> Image.Image:
    image.load()
    plain = turned(image, orientation)
    plain.info = {name: image.info[name] for name in _KEPT if name in image.info}
    return plain


def _encoded(image: Image.Image, options: dict[str, Any]) -> bytes:
    content = BytesIO()
    image.save(content, icc_profile=image.info.get("icc_profile"), **options)
    return content.getvalue()


def _jpeg(image: Image.Image, picture: Picture) -> dict[str, Any]:
    """The original's own steps of brightness: with them, a photo loses next to nothing, and doesn't grow."""
    from PIL import JpegImagePlugin

    tables: dict[int, list[int]] = image.quantization  # type: ignore[attr-defined]
    if picture.is_on_its_side:
        tables = {
            number: [table[at % 8 * 8 + at // 8] for at in range(64)] for number, table in tables.items()
        }
    # Colours keep their resolution: 0 is the full one, 2 the half.
    sampling = 2 if JpegImagePlugin.get_sampling(image) == 2 else 0
    is_progressive = "progressive" in image.info
    return {"format": "JPEG", "qtables": tables, "subsampling": sampling, "progressive": is_progressive}


def _png(_: Image.Image, __: Picture) -> dict[str, Any]:
    # Pillow's usual level takes five times as long and makes a photo a seventh smaller.
    return {"format": "PNG", "compress_level": 1}


def _webp(_: Image.Image, picture: Picture) -> dict[str, Any]:
    is_lossless = b"VP8L" in picture.data and b"VP8 " not in picture.data
    return {"format": "WEBP", "lossless": is_lossless, "quality": 0 if is_lossless else _QUALITY, "method": 2}


# GIF has no orientation, and AVIF has it in the picture itself.
_OPTIONS: Final = {"image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp}
