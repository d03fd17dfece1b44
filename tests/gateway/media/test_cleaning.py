"""Originals lose all metadata, and nothing of the picture: no pixel, no frame, no profile of colours."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageSequence, ImageStat

from gateway.media.processor import Media, MediaProcessor, MediaRefused
from tests.gateway.media import samples
from tests.gateway.media.conftest import Process
from tests.gateway.media.samples import MIMES, SECRET, encoded, opened, photo, picture, with_metadata

UNTURNED = ["JPEG", "PNG", "GIF", "WEBP", "AVIF"]


def cleaned(media: Media) -> bytes:
    assert media.cleaned is not None
    return media.cleaned.read_bytes()


@pytest.mark.parametrize("format_", UNTURNED)
async def test_an_upright_picture_loses_its_metadata_and_no_pixel(process: Process, format_: str) -> None:
    original = with_metadata(picture(), format_)
    assert SECRET in original or format_ in ("PNG", "GIF")
    media = await process(original, MIMES[format_])
    content = cleaned(media)
    for part in (content, *(path.read_bytes() for path in media.thumbs.values())):
        assert SECRET not in part
        assert not dict(opened(part).getexif())
        info = opened(part).info
        assert not {"comment", "XML:com.adobe.xmp", "Comment", "Place"} & info.keys()
        # In AVIF they are emptied.
        assert not info.get("xmp", b"").strip()
    assert opened(content).tobytes() == opened(original).tobytes()
    assert opened(content).format == format_
    if format_ != "GIF":
        assert opened(content).info["icc_profile"] == samples.profile()
    # What is clean stays as it is.
    assert (await process(content, MIMES[format_])).cleaned is None


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
async def test_every_orientation_is_applied(process: Process, format_: str, orientation: int) -> None:
    media = await process(with_metadata(picture(), format_, orientation), MIMES[format_])
    assert (media.width, media.height) == (600, 400)
    sizes = {600: cleaned(media), **{size: path.read_bytes() for size, path in media.thumbs.items()}}
    assert sorted(sizes) == [320, 600, 840]
    for content in sizes.values():
        image = opened(content)
        assert SECRET not in content
        assert image.width > image.height
        assert not dict(image.getexif())
        assert samples.are_alike(samples.corners(image), samples.CORNERS)
    assert opened(cleaned(media)).format == format_
    assert opened(cleaned(media)).info["icc_profile"] == samples.profile()


async def test_an_original_keeps_its_metadata_if_it_is_set_so(process: Process) -> None:
    keeping = MediaProcessor(keeps_metadata=True)
    await keeping.start()
    media = await process(with_metadata(picture(), "JPEG", 6), "image/jpeg", by=keeping)
    await keeping.stop()
    assert media.cleaned is None
    assert (media.width, media.height) == (600, 400)
    for path in media.thumbs.values():
        assert SECRET not in path.read_bytes()
        assert samples.are_alike(samples.corners(opened(path)), samples.CORNERS)


async def test_a_photo_that_is_turned_loses_next_to_nothing(process: Process) -> None:
    original = with_metadata(photo(1_600, 1_200), "JPEG", 6, quality=90)
    turned = opened(original).transpose(Image.Transpose.ROTATE_270)
    content = cleaned(await process(original, "image/jpeg"))
    difference = ImageStat.Stat(ImageChops.difference(turned.convert("L"), opened(content).convert("L")))
    # 42 dB: nobody sees the difference.
    assert difference.rms[0] < 2.0
    assert len(content) < len(original) * 1.1


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG"])
async def test_an_animation_keeps_its_frames_and_its_times(process: Process, format_: str) -> None:
    frames = [picture().rotate(angle) for angle in (0, 90, 180)]
    options = {"save_all": True, "append_images": frames[1:], "duration": [100, 200, 300], "loop": 3}
    original = with_metadata(frames[0], format_, **options)
    before, after = (
        opened(content) for content in (original, cleaned(await process(original, MIMES[format_])))
    )
    assert after.n_frames == before.n_frames == 3  # type: ignore[attr-defined]
    assert after.info["loop"] == before.info["loop"] == 3
    for one, other in zip(ImageSequence.Iterator(before), ImageSequence.Iterator(after), strict=True):
        assert one.convert("RGBA").tobytes() == other.convert("RGBA").tobytes()
        assert one.info["duration"] == other.info["duration"]


async def test_an_animation_is_turned_with_all_its_frames(process: Process) -> None:
    frames = [picture().rotate(angle).transpose(Image.Transpose.ROTATE_90) for angle in (0, 180)]
    options = {"save_all": True, "append_images": frames[1:], "duration": [100, 200], "exif": samples.exif(6)}
    media = await process(encoded(frames[0], "WEBP", **options), "image/webp")
    image = opened(cleaned(media))
    assert (image.size, image.n_frames) == ((600, 400), 2)  # type: ignore[attr-defined]
    image.seek(1)
    assert samples.are_alike(samples.corners(image), samples.CORNERS[::-1])


async def test_what_follows_a_picture_goes(process: Process) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("evil.js", "alert(1)")
    gif = encoded(picture(), "GIF", comment=b"*/=1;alert(1)//")
    for content, mime in (
        (encoded(picture(), "JPEG") + archive.getvalue(), "image/jpeg"),
        (gif + b"*/=1;alert(1)//", "image/gif"),
        (encoded(picture(), "PNG") + archive.getvalue(), "image/png"),
        (encoded(picture(), "WEBP") + archive.getvalue(), "image/webp"),
        (encoded(picture(), "AVIF") + b"\0\0\0\x10uuidalert(1)", "image/avif"),
    ):
        part = cleaned(await process(content, mime))
        assert b"alert" not in part
        assert b"evil" not in part
        assert opened(part).size == (600, 400)


async def test_iptc_and_inner_thumbnails_of_a_jpeg_go(process: Process) -> None:
    content = encoded(picture(), "JPEG")
    # Behind the first two bytes: IPTC, what no standard knows, a JFIF head with a thumbnail.
    iptc = b"Photoshop 3.0\x008BIM\x04\x04" + SECRET
    jfif = b"JFIF\0\x01\x01\0\0\x01\0\x01\x04\x01" + SECRET
    segments = [(0xED, iptc), (0xE5, SECRET), (0xE0, jfif)]
    more = b"".join(bytes((0xFF, kind)) + (len(of) + 2).to_bytes(2, "big") + of for kind, of in segments)
    part = cleaned(await process(content[:2] + more + content[2:], "image/jpeg"))
    assert SECRET not in part
    assert opened(part).tobytes() == opened(content).tobytes()


async def test_a_jpeg_with_bytes_between_its_parts_is_encoded_anew(process: Process) -> None:
    content = with_metadata(picture(), "JPEG")
    at = content.index(b"\xff\xdb")
    part = cleaned(await process(content[:at] + b"SECRET-PLACE" + content[at:], "image/jpeg"))
    assert SECRET not in part
    assert samples.are_alike(samples.corners(opened(part)), samples.CORNERS)


@pytest.mark.parametrize("mode", ["CMYK", "L"])
async def test_a_jpeg_of_other_colours_stays_as_it_is(process: Process, mode: str) -> None:
    original = with_metadata(picture(mode=mode), "JPEG").replace(
        samples.profile(), bytes(len(samples.profile()))
    )
    media = await process(original, "image/jpeg")
    assert opened(cleaned(media)).mode == mode
    assert opened(cleaned(media)).tobytes() == opened(original).tobytes()
    expected = samples.corners(opened(original))
    assert all(samples.are_alike(samples.corners(opened(path)), expected) for path in media.thumbs.values())


async def test_a_deep_png_and_a_palette_stay_as_they_are(process: Process, tmp_path: Path) -> None:
    deep = Image.new("I;16", (600, 400), 40_000)
    media = await process(with_metadata(deep, "PNG"), "image/png")
    assert opened(cleaned(media)).mode == "I;16"
    assert opened(cleaned(media)).getpixel((1, 1)) == 40_000
    assert samples.are_alike(samples.corners(opened(media.thumbs[320])), ((155,) * 3,) * 4)
    palette = picture().quantize(8)
    hole = palette.getpixel((1, 1))
    media = await process(with_metadata(palette, "PNG", transparency=hole), "image/png")
    assert opened(cleaned(media)).mode == "P"
    assert opened(cleaned(media)).info["transparency"] == hole
    thumb = opened(media.thumbs[320])
    assert thumb.mode == "RGBA"
    assert thumb.getpixel((1, 1))[3] == 0  # type: ignore[index]
    assert thumb.getpixel((300, 200))[3] == 255  # type: ignore[index]


async def test_what_claims_to_be_another_picture_is_refused(process: Process, tmp_path: Path) -> None:
    for content in (
        b"<svg onload='alert(1)'/>",
        b"<html><script>alert(1)</script>",
        encoded(picture(), "BMP"),
        b"",
    ):
        for mime in (*MIMES.values(), "image/svg+xml", "image/bmp"):
            with pytest.raises(MediaRefused):
                await process(content, mime)
    with pytest.raises(MediaRefused):
        await process(encoded(picture(), "JPEG"), "image/png")
    assert list((tmp_path / "results").iterdir()) == []
