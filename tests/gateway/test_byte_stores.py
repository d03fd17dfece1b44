"""What every store of files' bytes promises: a folder, and a bucket of an S3 store over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from gateway.files.store import ByteStore
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError, ErrorKind
from messenger_shared.contract.identifiers import new_id
from tests.gateway.byte_stores import FsWorld, S3World, World, file, reader

if TYPE_CHECKING:
    from tests.s3.running import RunningS3

CONTENT = b"0123456789"


@pytest.fixture(params=["fs", "s3"])
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    async with aiohttp.ClientSession() as http:
        made: World
        if request.param == "fs":
            made = FsWorld(tmp_path_factory.mktemp("store"))
        else:
            s3: RunningS3 = request.getfixturevalue("s3")
            made = S3World(s3, http)
        await made.store.start()
        yield made
        await made.store.stop()


async def refused(asked: object) -> ErrorKind:
    with pytest.raises(AppError) as caught:
        await asked  # type: ignore[misc]
    return caught.value.kind


async def copied(store: ByteStore, file_id: str) -> bytes:
    """Returns the bytes of the store's local copy."""
    async with store.local(file_id) as path:
        return path.read_bytes()


async def kept(world: World, content: bytes = CONTENT) -> str:
    """Uploads a file and finishes it; returns its id."""
    id_ = new_id()
    await world.send(id_, content, len(content))
    assert await world.store.finish(id_, len(content)) == content[:8_192]
    return id_


async def test_only_all_bytes_make_a_file(world: World) -> None:
    id_ = new_id()
    assert await refused(world.store.finish(id_, 10)) is errors.FILE_NOT_READY
    await world.send(id_, CONTENT[:5], 10)
    assert await refused(world.store.finish(id_, 10)) is errors.FILE_NOT_READY
    assert await refused(copied(world.store, id_)) is errors.NOT_FOUND
    await world.send(id_, CONTENT, 10)
    for _ in range(2):
        assert await world.store.finish(id_, 10) == CONTENT
    assert await copied(world.store, id_) == CONTENT
    assert world.left(id_) in ([id_], [f"files/{id_}"])


async def test_the_start_of_a_file_is_its_first_8_kib(world: World) -> None:
    content = bytes(range(256)) * 100
    assert await copied(world.store, await kept(world, content)) == content


async def test_a_file_is_read_as_what_it_is(world: World) -> None:
    id_ = await kept(world)
    async with reader(world.store) as read:
        picture = await read(file(id_, 10, name="사진.png", mime="image/png", kind="image"))
        assert (picture.status, picture.body) == (200, CONTENT)
        assert picture.headers["Content-Type"] == "image/png"
        disposition = "inline; filename=\"__.png\"; filename*=UTF-8''%EC%82%AC%EC%A7%84.png"
        assert picture.headers["Content-Disposition"] == disposition
        page = await read(file(id_, 10, name='a"b.html', mime="text/html"))
        disposition = "attachment; filename=\"a_b.html\"; filename*=UTF-8''a%22b.html"
        assert page.headers["Content-Disposition"] == disposition


async def test_other_bytes_replace_those_of_a_file(world: World, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"cleaned")
    assert await refused(world.store.replace(new_id(), other)) is errors.NOT_FOUND
    id_ = await kept(world)
    for _ in range(2):
        await world.store.replace(id_, other)
        assert await copied(world.store, id_) == b"cleaned"
    # A client that asks again after the answer was lost.
    assert await world.store.finish(id_, 10) == b"cleaned"
    assert other.read_bytes() == b"cleaned"


async def test_thumbs_are_pictures_of_their_own(world: World, tmp_path: Path) -> None:
    thumb = tmp_path / "thumb"
    thumb.write_bytes(b"small")
    assert await refused(world.store.put_thumb(new_id(), 320, thumb)) is errors.NOT_FOUND
    id_ = await kept(world)
    await world.store.put_thumb(id_, 320, thumb)
    thumb.write_bytes(b"larger")
    for _ in range(2):
        await world.store.put_thumb(id_, 840, thumb)
    async with reader(world.store) as read:
        for width, content in ((320, b"small"), (840, b"larger"), (None, CONTENT)):
            got = await read(file(id_, 10, name="a.tar.png", mime="image/png", kind="image"), width)
            assert (got.status, got.body) == (200, content)
            if width is not None:
                assert got.headers["Content-Type"] == "image/webp"
                assert got.headers["Content-Disposition"].startswith('inline; filename="a.tar.webp"')
    assert len(world.left(id_)) == 3


async def test_nothing_is_left_of_a_removed_file(world: World, tmp_path: Path) -> None:
    thumb = tmp_path / "thumb"
    thumb.write_bytes(b"small")
    other, begun, whole = await kept(world), new_id(), await kept(world)
    await world.send(begun, CONTENT[:5], 10)
    for width in (320, 840):
        await world.store.put_thumb(whole, width, thumb)
    for id_ in (begun, whole):
        assert [await world.store.remove(id_) for _ in range(2)] == [True, False]
        assert world.left(id_) == []
        assert await refused(world.store.finish(id_, 10)) is errors.FILE_NOT_READY
        assert await refused(copied(world.store, id_)) is errors.NOT_FOUND
    assert await copied(world.store, other) == CONTENT
