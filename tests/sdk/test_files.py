"""The SDK's uploads and downloads, also over a link that is cut in their midst."""

from __future__ import annotations

import random
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from messenger_sdk import Client, MessengerError
from messenger_sdk.client.user_tokens import UserTokens
from messenger_sdk.files.downloads import download
from messenger_sdk.rest import Rest
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.uploads import PNG
from tests.sdk.cutting import cutting

MIB = 1024 * 1024


def large_file(folder: Path) -> Path:
    path = folder / "large.bin"
    path.write_bytes(random.Random(1).randbytes(6 * MIB))
    return path


def names_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


async def test_a_file_is_uploaded_sent_and_downloaded(
    stack: SharedStack, crowd: Crowd, tmp_path: Path
) -> None:
    one, two = crowd.newcomers(2)
    room = await one.create_group(two.user_id)
    picture = tmp_path / "사진.png"
    picture.write_bytes(PNG)
    async with Client(stack.url, lambda: one.token) as ours, Client(stack.url, lambda: two.token) as theirs:
        file = await ours.upload(picture)
        assert (file["name"], file["mime"], file["kind"]) == ("사진.png", "image/png", "image")
        message = await ours.send(room, "Look", attachments=[file["file_id"]])
        assert [each["file_id"] for each in message["attachments"]] == [file["file_id"]]
        await theirs.download(file["file_id"], tmp_path / "got.png")
    assert (tmp_path / "got.png").read_bytes() == PNG


async def test_an_upload_that_is_cut_continues_where_it_was(
    stack: SharedStack, crowd: Crowd, tmp_path: Path
) -> None:
    one = crowd.newcomer()
    path = large_file(tmp_path)
    async with (
        cutting(urlsplit(stack.url).port or 0, MIB, times=4) as link,
        Client(link.url, lambda: one.token) as client,
    ):
        file = await client.upload(path, name="a name.bin")
        assert link.cuts == 4
        await client.download(file["file_id"], tmp_path / "got.bin")
    assert (file["name"], file["size"]) == ("a name.bin", 6 * MIB)
    assert (tmp_path / "got.bin").read_bytes() == path.read_bytes()


async def test_a_download_that_is_cut_continues_and_appears_when_it_is_whole(
    stack: SharedStack, crowd: Crowd, tmp_path: Path
) -> None:
    one = crowd.newcomer()
    path = large_file(tmp_path)
    async with Client(stack.url, lambda: one.token) as client:
        file = await client.upload(path)
    async with (
        cutting(urlsplit(stack.url).port or 0, MIB, times=3) as link,
        Client(link.url, lambda: one.token) as client,
    ):
        await client.download(file["file_id"], tmp_path / "got.bin")
        assert link.cuts == 3
    assert (tmp_path / "got.bin").read_bytes() == path.read_bytes()
    assert names_in(tmp_path) == {"large.bin", "got.bin"}


async def test_what_may_not_be_uploaded_or_downloaded_is_told(
    stack: SharedStack, crowd: Crowd, tmp_path: Path
) -> None:
    one, two = crowd.newcomers(2)
    empty = tmp_path / "empty.txt"
    empty.touch()
    picture = tmp_path / "a.png"
    picture.write_bytes(PNG)
    async with Client(stack.url, lambda: one.token) as ours, Client(stack.url, lambda: two.token) as theirs:
        with pytest.raises(MessengerError) as refused:
            await ours.upload(empty)
        assert (refused.value.code, list(refused.value.errors)) == ("invalid_frame", ["size"])
        with pytest.raises(FileNotFoundError):
            await ours.upload(tmp_path / "none")
        file = await ours.upload(picture)
        with pytest.raises(MessengerError) as refused:
            await theirs.download(file["file_id"], tmp_path / "got.png")
        assert refused.value.code == "not_found"
    assert names_in(tmp_path) == {"empty.txt", "a.png"}


async def test_a_download_asks_for_a_new_token_when_its_own_is_refused(
    stack: SharedStack, crowd: Crowd, tmp_path: Path
) -> None:
    one = crowd.newcomer()
    picture = tmp_path / "a.png"
    picture.write_bytes(PNG)
    async with Client(stack.url, lambda: one.token) as client:
        file = await client.upload(picture)
    given = iter(["no token", one.token])
    rest = Rest(stack.url, UserTokens(lambda: next(given)))
    try:
        await download(rest, f"/files/{file['file_id']}", tmp_path / "got.png")
    finally:
        await rest.close()
    assert names_in(tmp_path) == {"a.png", "got.png"}
