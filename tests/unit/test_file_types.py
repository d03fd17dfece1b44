"""What a file is by its content, how its name is sent, and what its name can't have."""

from __future__ import annotations

import pytest

from gateway.files.content_types import ContentType, content_type, is_accepted
from gateway.files.downloads import content_disposition
from messenger_shared.contract.text.file_names import clean_file_name

ZIP = b"PK\x03\x04" + bytes(30)


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.html", ContentType("image/png", "image")),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\0" + bytes(50), "a.jpg", ContentType("image/jpeg", "image")),
        (b"GIF89a/*" + b"alert(1)", "a.js", ContentType("image/gif", "image")),
        (b"RIFF\x10\0\0\0WEBPVP8 " + bytes(50), "a", ContentType("image/webp", "image")),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a.png", ContentType("image/svg+xml", "file")),
        (b"<!DOCTYPE html><html>", "a.png", ContentType("text/html", "file")),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(50), "a", ContentType("video/mp4", "video")),
        (b"ID3\x04\0" + bytes(50), "a.mp3", ContentType("audio/mpeg", "audio")),
        (ZIP, "a.zip", ContentType("application/zip", "file")),
        (b"plain text", "a.png", ContentType("text/plain", "file")),
        ("글".encode() * 9 + "글".encode()[:2], "a", ContentType("text/plain", "file")),
        (b"\x01\x02\xff\0", "a.png", ContentType("application/octet-stream", "file")),
    ],
)
def test_the_content_decides(head: bytes, name: str, expected: ContentType) -> None:
    assert content_type(head, name) == expected


def test_the_types_that_may_be_uploaded() -> None:
    assert is_accepted("text/html", ())
    accepted = ("image/*", "application/pdf")
    given = ("image/png", "application/pdf", "text/html", "imagex/png")
    assert [is_accepted(mime, accepted) for mime in given] == [True, True, False, False]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.txt", "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt"),
        ("사진.png", "attachment; filename=\"__.png\"; filename*=UTF-8''%EC%82%AC%EC%A7%84.png"),
        ("../a\\b", "attachment; filename=\".._a_b\"; filename*=UTF-8''.._a_b"),
        ('a";x="b', "attachment; filename=\"a_;x=_b\"; filename*=UTF-8''a%22%3Bx%3D%22b"),
        ("a\r\nb: c%41", "attachment; filename=\"a__b: c_41\"; filename*=UTF-8''a%0D%0Ab%3A%20c%2541"),
    ],
)
def test_a_name_in_a_header(name: str, header: str) -> None:
    assert content_disposition(name, is_inline=False) == header
    assert content_disposition(name, is_inline=True) == header.replace("attachment", "inline")


def test_a_name_does_not_look_like_another() -> None:
    assert clean_file_name("a\u202egpj.exe\u2066\u200f\x07") == "agpj.exe"
    assert clean_file_name("회의록 2.txt") == "회의록 2.txt"
