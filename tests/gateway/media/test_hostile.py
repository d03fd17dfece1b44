"""Hostile files are refused or harmless: too many pixels, too many frames, cut off, packed too well."""

from __future__ import annotations

import asyncio
import io
import os
import random
import wave
import zlib
from pathlib import Path

import pytest

from gateway.media.processor import Media, MediaBusy, MediaProcessor, MediaRefused
from tests.gateway.media import samples
from tests.gateway.media.conftest import Process, limits
from tests.gateway.media.samples import MIMES, encoded, opened, photo, picture, png, with_metadata

ROWS = 9_000


async def test_a_photo_of_twelve_megapixels_has_what_a_client_needs(process: Process) -> None:
    media = await process(with_metadata(photo(4_000, 3_000), "JPEG", 6), "image/jpeg")
    assert (media.width, media.height) == (4_000, 3_000)
    assert [opened(path).size for path in media.thumbs.values()] == [(320, 240), (840, 630)]
    assert media.blurhash
    assert media.duration_ms is None


@pytest.mark.parametrize(
    ("size", "thumbs"),
    [
        ((840, 10), [(320, 4), (840, 10)]),
        ((321, 321), [(320, 320), (321, 321)]),
        ((100, 320), [(100, 320)] * 2),
        ((65, 1), [(65, 1)] * 2),
        ((1, 1), [(1, 1)] * 2),
    ],
)
async def test_thumbnails_are_never_larger_than_the_picture(
    process: Process, size: tuple[int, int], thumbs: list[tuple[int, int]]
) -> None:
    media = await process(encoded(picture(*size), "PNG"), "image/png")
    assert (media.width, media.height) == size
    assert [opened(path).size for path in media.thumbs.values()] == thumbs
    assert all(opened(path).format == "WEBP" for path in media.thumbs.values())
    assert media.blurhash


async def test_too_many_pixels_are_refused_by_the_head_of_a_file(process: Process) -> None:
    for content, mime in (
        (png(100_000, 100_000, zlib.compress(b"")), "image/png"),
        # A hundred times smaller than its pixels, and one row too large.
        (png(10_000, ROWS + 1, zlib.compress(bytes(10_001 * (ROWS + 1)))), "image/png"),
        (encoded(picture(), "GIF").replace(b"X\x02\x90\x01", b"\xff\xff\xff\xff", 1), "image/gif"),
        (_with_sides_of_jpeg(encoded(picture(), "JPEG"), 65_000, 65_000), "image/jpeg"),
    ):
        with pytest.raises(MediaRefused, match="too many pixels"):
            await process(content, mime)


async def test_a_picture_as_large_as_allowed_is_processed(process: Process) -> None:
    media = await process(png(10_000, ROWS, zlib.compress(bytes(10_001 * ROWS))), "image/png")
    assert (media.width, media.height) == (10_000, ROWS)


async def test_a_small_picture_with_endless_packed_pixels_takes_no_memory(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pixels of this file are 600 MiB, its picture has a hundred."""
    packer = zlib.compressobj()
    pixels = b"".join(packer.compress(bytes(1024**2)) for _ in range(600)) + packer.flush()
    monkeypatch.setattr("gateway.media.processor.LIMITS", limits(memory_bytes=400 * 1024**2))
    media = await process(png(10, 10, pixels), "image/png")
    assert (media.width, media.height) == (10, 10)


async def test_packed_text_that_grows_is_refused_or_gone(process: Process) -> None:
    content = png(10, 10, zlib.compress(bytes(110)))
    bomb = samples.png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200 * 1024**2)))
    with pytest.raises(MediaRefused):
        await process(content[:33] + bomb + content[33:], "image/png")


@pytest.mark.parametrize("format_", MIMES)
async def test_a_file_that_is_cut_is_refused(process: Process, tmp_path: Path, format_: str) -> None:
    content = with_metadata(picture(), format_)
    for length in (len(content) - 1, len(content) * 2 // 3, 40, 12, 3):
        with pytest.raises(MediaRefused):
            await process(content[:length], MIMES[format_])
    assert list((tmp_path / "results").iterdir()) == []


async def test_an_animation_with_too_many_frames_is_refused(process: Process) -> None:
    content = encoded(picture(2, 2), "GIF")
    at = content.index(b"\x2c", 13)
    frame = content[at:-1]
    with pytest.raises(MediaRefused, match="too many frames"):
        await process(content[:-1] + frame * 200_000 + b";", "image/gif")
    assert (await process(content[:-1] + frame * 1_000 + b";", "image/gif")).width == 2
    frames = [picture(4, 4), picture(4, 4).rotate(90)] * 1_001
    for format_ in ("WEBP", "PNG"):
        animation = encoded(frames[0], format_, save_all=True, append_images=frames[1:], duration=1)
        with pytest.raises(MediaRefused, match="too many frames"):
            await process(animation, MIMES[format_])


async def test_broken_pictures_are_refused_or_clean_and_nothing_else(
    processor: MediaProcessor, tmp_path: Path
) -> None:
    """Some bytes of good files are replaced at random."""
    chance = random.Random(13)
    contents = {MIMES[format_]: with_metadata(picture(80, 70), format_) for format_ in MIMES}

    async def one(number: int) -> Media | None:
        mime, content = chance.choice(list(contents.items()))
        broken = bytearray(content)
        for _ in range(chance.randint(1, 20)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "source").write_bytes(broken)
        try:
            return await processor.process(folder / "source", mime, "image", folder)
        except MediaRefused:
            return None

    results = await asyncio.gather(*(one(number) for number in range(30)))
    assert any(results)
    assert not all(results)
    for media in filter(None, results):
        assert media.cleaned is None or samples.SECRET not in media.cleaned.read_bytes()


async def test_what_a_worker_may_not_write_or_read(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    content = with_metadata(photo(800, 600), "JPEG")
    monkeypatch.setattr("gateway.media.processor.LIMITS", limits(written_bytes=1_000))
    with pytest.raises(MediaRefused):
        await process(content, "image/jpeg")
    monkeypatch.setattr("gateway.media.processor.LIMITS", limits())
    assert (await process(content, "image/jpeg")).width == 800


async def test_results_that_can_not_be_written_are_for_later(
    processor: MediaProcessor, tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(encoded(picture(), "PNG"))
    (tmp_path / "320.webp").symlink_to("/dev/full")
    with pytest.raises(MediaBusy):
        await processor.process(tmp_path / "source", "image/png", "image", tmp_path)
    assert os.listdir(tmp_path) == ["source"]
    with pytest.raises(MediaBusy):
        await processor.process(tmp_path / "nothing", "image/png", "image", tmp_path)


def _sound(seconds: float) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8_000)
        sound.writeframes(bytes(round(8_000 * seconds)))
    return content.getvalue()


def _video(scale: int, duration: int) -> bytes:
    head = bytes(12) + scale.to_bytes(4, "big") + duration.to_bytes(4, "big") + bytes(80)
    mvhd = (len(head) + 8).to_bytes(4, "big") + b"mvhd" + head
    moov = (len(mvhd) + 8).to_bytes(4, "big") + b"moov" + mvhd
    return b"\0\0\0\x14ftypmp42\0\0\0\0mp42" + moov


async def test_audio_and_video_have_a_duration_and_are_never_refused(process: Process) -> None:
    for content, mime, kind, duration in (
        (_sound(2.5), "audio/wav", "audio", 2_500),
        (_video(1_000, 61_500), "video/mp4", "video", 61_500),
        (_video(1, 2**32 - 1), "video/mp4", "video", None),
        (_video(0, 5), "video/mp4", "video", None),
        (_sound(1)[:20], "audio/wav", "audio", None),
        (b"\x1aE\xdf\xa3webm", "video/webm", "video", None),
        (b"ID3\x04\0\0\x7f\x7f\x7f\x7f" * 1_000, "audio/mpeg", "audio", None),
        (b"", "audio/mpeg", "audio", None),
    ):
        assert await process(content, mime, kind) == Media(duration_ms=duration)


async def test_a_worker_that_ends_early_leaves_audio_without_a_duration(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.media.processor._COMMAND", ("/bin/sh", "-c", "kill -SEGV $$"))
    assert await process(b"", "audio/mpeg", "audio") == Media()
    with pytest.raises(MediaRefused):
        await process(b"", "image/png")


async def test_other_files_are_left_alone(process: Process) -> None:
    assert await process(b"%PDF-1.7", "application/pdf", "file") == Media()


def _with_sides_of_jpeg(content: bytes, width: int, height: int) -> bytes:
    """The file with other sides in the head of its frame."""
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + content[at + 4 :]
