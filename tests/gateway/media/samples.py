"""Makes pictures for tests: with metadata, with an orientation, with a profile of colours."""

from __future__ import annotations

import io
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageCms, PngImagePlugin

# It is in every piece of metadata that a test adds.
SECRET = b"SECRET-PLACE"
SCRIPT = "<script>SECRET-PLACE</script>"
MIMES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
}
# From left to right, then from top to bottom.
CORNERS = ((220, 20, 20), (20, 200, 20), (20, 20, 220), (230, 220, 30))
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>SECRET-PLACE</a></x:xmpmeta>'
# How an upright picture is stored for each orientation.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def picture(width: int = 600, height: int = 400, mode: str = "RGB") -> Image.Image:
    """A picture with another colour in each quarter."""
    image = Image.new("RGB", (2, 2))
    image.putdata(CORNERS)
    return image.resize((width, height), Image.Resampling.NEAREST).convert(mode)


def photo(width: int, height: int) -> Image.Image:
    """A picture that compresses as a photo does."""
    bands = [Image.effect_noise((width // 8, height // 8), 60).resize((width, height)) for _ in range(3)]
    return Image.merge("RGB", bands)


def corners(image: Image.Image) -> tuple[tuple[int, ...], ...]:
    """The colours in the middle of the four quarters."""
    wide, high, rgb = image.width, image.height, image.convert("RGB")
    at = [(x, y) for y in (high // 4, high * 3 // 4) for x in (wide // 4, wide * 3 // 4)]
    found: list[Any] = [rgb.getpixel(point) for point in at]
    return tuple(found)


def are_alike(some: tuple[tuple[int, ...], ...], others: tuple[tuple[int, ...], ...]) -> bool:
    pairs = zip(some, others, strict=True)
    return all(abs(a - b) < 30 for one, other in pairs for a, b in zip(one, other, strict=True))


def exif(orientation: int = 1) -> Image.Exif:
    """Exif with a place, a script and an orientation."""
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    tags[ExifTags.Base.ImageDescription] = SCRIPT
    tags[ExifTags.IFD.GPSInfo] = {1: "N", 2: (37.0, 33.0, 59.0), 29: "SECRET-PLACE"}
    return tags


@cache
def profile() -> bytes:
    """A profile of colours. It has the time at which it was made, so it is made once."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encoded(image: Image.Image, format_: str, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, format_, **options)
    return content.getvalue()


def with_metadata(image: Image.Image, format_: str, orientation: int = 1, **options: Any) -> bytes:
    """The picture as a file with all metadata that Pillow can write, and a profile of colours."""
    transposed = STORED[orientation]
    image = image.transpose(transposed) if transposed is not None else image
    more: dict[str, Any] = {"exif": exif(orientation), "icc_profile": profile(), "xmp": XMP}
    if format_ == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Comment", SCRIPT, zip=True)
        texts.add_text("Place", "SECRET-PLACE")
        texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
        more = {"exif": exif(orientation), "icc_profile": profile(), "pnginfo": texts}
    if format_ == "GIF":
        more = {"comment": SECRET}
    if format_ == "JPEG":
        more["comment"] = SECRET
    return encoded(image, format_, **more, **options)


def opened(content: bytes | Path) -> Image.Image:
    """The picture, decoded, and its file closed."""
    data = content.read_bytes() if isinstance(content, Path) else content
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def png_chunk(name: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(name + content)
    return len(content).to_bytes(4, "big") + name + content + crc.to_bytes(4, "big")


def png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG file of grey pixels that says it has these sides, with these bytes as its packed pixels."""
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 0, 0, 0, 0))
    chunks = (b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)
