"""Files for the tests of the web client, and where the client shows them."""

from __future__ import annotations

import io
import wave
from typing import Any

from PIL import Image
from playwright.async_api import Locator, expect

from tests.browser.client import Chat, WebClients, new_user
from tests.browser.test_client_looks import WIDE


def picture(name: str = "picture.png", width: int = 640, height: int = 480, hue: int = 0) -> Any:
    """A picture as the browser's file chooser gives it."""
    pixels = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").point(
        lambda value: (value + hue) % 256
    ).save(pixels, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": pixels.getvalue()}


def document(name: str, size: int) -> Any:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": bytes(range(256)) * (size // 256)}


def recording(name: str, seconds: int) -> Any:
    """Silence as a WAV file."""
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(bytes([128]) * 8000 * seconds)
    return {"name": name, "mimeType": "audio/wav", "buffer": content.getvalue()}


async def choose(chat: Chat, *files: Any) -> None:
    await chat.page.get_by_test_id("file-input").set_input_files(list(files))


def tray(chat: Chat) -> Locator:
    return chat.page.get_by_test_id("upload")


def ready(chat: Chat) -> Locator:
    return chat.page.locator("[data-testid=upload][data-phase=ready]")


def attachments(chat: Chat) -> Locator:
    return chat.page.get_by_test_id("attachments")


async def expect_loaded(pictures: Locator, count: int) -> None:
    """Waits until so many pictures are there and drawn."""
    await expect(pictures).to_have_count(count)
    for shown in await pictures.all():
        await expect(shown).to_have_js_property("complete", True)
        assert await shown.evaluate("picture => picture.naturalWidth") > 0


async def two_in(clients: WebClients, title: str, **options: Any) -> tuple[Chat, Chat]:
    """Two users with an open group."""
    one, two = new_user(), new_user()
    room = await clients.group(title, one, two)
    await clients.post(two, room, "Hello")
    chats = await clients.chat(one, **options), await clients.chat(two, viewport=WIDE)
    for chat in chats:
        await chat.open(title)
    return chats
