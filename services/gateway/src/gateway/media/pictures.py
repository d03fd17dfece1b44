"""Opens a picture with the one reader of its type, and makes its thumbnails and its blurred picture."""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

import blurhash
from PIL import ExifTags, Image

from gateway.media.formats.cleaning import without_metadata
from gateway.media.formats.parts import Malformed, Parts, check_frames
from gateway.media.job import THUMBS

MAX_PIXELS: Final = 90_000_000
MAX_BYTES: Final = 256 * 1024**2
_QUALITY: Final = 80
# Pillow may decode twice as many pixels a side as a thumbnail needs, for its sharpness.
_GAP: Final = 2.0
# The media type, Pillow's name of the format, and its module. No other reader ever sees a file.
_READERS: Final = {
    "image/jpeg": ("JPEG", "JpegImagePlugin"),
    "image/png": ("PNG", "PngImagePlugin"),
    "image/gif": ("GIF", "GifImagePlugin"),
    "image/webp": ("WEBP", "WebPImagePlugin"),
    "image/avif": ("AVIF", "AvifImagePlugin"),
}
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BLUR_SIDE: Final = 32
# How many waves the blurred picture has, along its longer and its shorter side.
_WAVES: Final = (4, 3)
_DEEPEST: Final = 65_535

# Pillow compares sizes with it as soon as it has read the head of a file, and only warns.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


class Thumbs(NamedTuple):
    """The thumbnails, as WebP by their size, and the smallest of them as pixels."""

    encoded: dict[int, bytes]
    smallest: Image.Image


@dataclass(frozen=True, slots=True)
class Picture:
    """The file of a picture. `size` is that of its pixels, `width` and `height` are of the picture upright.

    `parts` are those that are left without metadata; None if only a new encoding can remove it.
    """

    mime: str
    data: bytes
    parts: Parts | None
    size: tuple[int, int]
    orientation: int

    @classmethod
    def read(cls, path: Path, mime: str) -> Picture:
        """The picture in a file. Raises Malformed, OSError, and what Pillow raises."""
        if path.stat().st_size > MAX_BYTES:
            raise Malformed("it is too large")
        return cls.of(path.read_bytes(), mime)

    @classmethod
    def of(cls, data: bytes, mime: str) -> Picture:
        """The picture with this content. Raises Malformed, and what Pillow raises."""
        parts = without_metadata(mime, data)
        with open_image(data, mime) as image:
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
            return cls(mime, data, parts, image.size, orientation if orientation in _TURNS else 1)

    @property
    def is_on_its_side(self) -> bool:
        """Whether the picture has to be turned by a quarter."""
        return self.orientation >= 5

    @property
    def width(self) -> int:
        """In pixels, as the picture is shown."""
        return self.size[self.is_on_its_side]

    @property
    def height(self) -> int:
        """In pixels, as the picture is shown."""
        return self.size[not self.is_on_its_side]


def open_image(data: bytes, mime: str) -> Image.Image:
    """The image, of which only the head has been read. Raises Malformed if it has too many pixels."""
    name, module = _READERS[mime]
    importlib.import_module(f"PIL.{module}")
    try:
        image = Image.open(BytesIO(data), formats=(name,))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Malformed("it has too many pixels") from None
    if mime != "image/gif":
        # Those of a GIF file were counted in its blocks; Pillow would read all of them.
        check_frames(getattr(image, "n_frames", 1))
    return image


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """The image upright."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def thumbnails(picture: Picture) -> Thumbs:
    """The thumbnails of the first frame, never larger than the picture. Raises what Pillow raises."""
    image = _small(picture, max(THUMBS))
    encoded = {}
    for size in reversed(THUMBS):
        image.thumbnail((size, size), Image.Resampling.LANCZOS)
        encoded[size] = _webp(image)
    return Thumbs(dict(sorted(encoded.items())), image)


def blurred(image: Image.Image) -> str:
    """The blurhash of a small image, on white where it is transparent."""
    small = image.resize((_BLUR_SIDE, _BLUR_SIDE)).convert("RGBA")
    flat = Image.new("RGBA", small.size, "white")
    flat.alpha_composite(small)
    pixels = flat.convert("RGB").tobytes()
    points = [tuple(pixels[at : at + 3]) for at in range(0, len(pixels), 3)]
    rows = [points[at : at + _BLUR_SIDE] for at in range(0, len(points), _BLUR_SIDE)]
    waves = _WAVES if image.width >= image.height else reversed(_WAVES)
    return str(blurhash.encode(rows, *waves))


def _small(picture: Picture, size: int) -> Image.Image:
    """The whole picture, upright, in the usual colours and with sides of at most `size` pixels."""
    image = open_image(picture.data, picture.mime)
    colours = image.info.get("icc_profile")
    if picture.mime != "image/jpeg":
        image = _in_full_colour(image)
    # It decodes a JPEG at a fraction of its size where that is enough.
    image.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=_GAP)
    image = turned(image, picture.orientation)
    if image.mode in ("I", "F"):
        image = image.point(lambda value: value * (255 / _DEEPEST), None).convert("L")
    image = _in_usual_colours(image, colours) if colours else image
    image = image if image.mode == "RGBA" else image.convert("RGB")
    # Nothing of what the file said about itself comes along.
    image.info = {}
    return image


def _in_full_colour(image: Image.Image) -> Image.Image:
    """The image in a mode that can be made smaller: a palette's neighbours aren't similar colours."""
    if image.mode.startswith("I;16"):
        return image.convert("I")
    if image.mode in ("P", "PA", "LA", "La", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("L") if image.mode == "1" else image


def _in_usual_colours(image: Image.Image, profile: bytes) -> Image.Image:
    """The image in sRGB; as it is if its profile can't be used."""
    from PIL import ImageCms

    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        source, target = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode=mode) or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


def _webp(image: Image.Image) -> bytes:
    importlib.import_module("PIL.WebPImagePlugin")
    content = BytesIO()
    image.save(content, "WEBP", quality=_QUALITY)
    return content.getvalue()
