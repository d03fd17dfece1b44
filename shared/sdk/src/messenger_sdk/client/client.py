"""One user's connection to the messenger: events in order, and messages that are sent once."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
import os
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from messenger_sdk.back_off import BackOff
from messenger_sdk.client.catch_up import CatchUp
from messenger_sdk.client.event_queue import EventQueue
from messenger_sdk.client.events import Event
from messenger_sdk.client.outbox import Outbox
from messenger_sdk.client.positions import Position, Positions
from messenger_sdk.client.search import Has, search, search_query
from messenger_sdk.client.socket import Frame, Socket, open_socket
from messenger_sdk.client.tasks import cancel, first_of
from messenger_sdk.client.user_tokens import GetToken, UserTokens
from messenger_sdk.errors import MessengerError, unreachable
from messenger_sdk.files.downloads import download
from messenger_sdk.files.uploads import Uploader
from messenger_sdk.models import File, Message, NewFile, Pins, Reactions, SearchHit
from messenger_sdk.rest import Rest, base_url, path_of

log = logging.getLogger(__name__)


class Client:
    """A user's connection, for bots. Use it as an async context manager.

    It reconnects by itself. The application gets every durable event once, in the order of each
    conversation, from the moment at which the client has started. After a long absence there may be too many
    changes for a replay; then it gets the new messages, and before them a frame `history.gap`: earlier
    messages may have changed meanwhile.

    `get_token` returns a token of the user; it may be a coroutine function. It is called again when the token
    is refused. `positions` are those of an earlier client, so that nothing in between is missed.
    """

    def __init__(
        self, url: str, get_token: GetToken, *, positions: Mapping[str, Position] | None = None
    ) -> None:
        self._url = base_url(url)
        self._tokens = UserTokens(get_token)
        self._rest = Rest(url, self._tokens)
        self._positions = Positions(positions)
        self._is_first_start = positions is None
        self._queue = EventQueue()
        self._outbox = Outbox()
        self._socket: asyncio.Future[Socket] | None = None
        self._task: asyncio.Task[None] | None = None
        self._user_id = 0

    @property
    def user_id(self) -> int:
        """The user's id."""
        return self._user_id

    @property
    def positions(self) -> dict[str, Position]:
        """How far the client is in each conversation. Keep it to continue there after a restart.

        Events that wait in `events` count as passed.
        """
        return self._positions.snapshot()

    async def __aenter__(self) -> Client:
        self._socket = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run())
        try:
            await asyncio.shield(self._socket)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection. Messages that still wait fail with `unreachable`."""
        if self._task is not None:
            await cancel(self._task)
        self._stop(unreachable("the client was closed"), None)
        await self._rest.close()

    async def events(self) -> AsyncIterator[Event]:
        """Yields every frame that isn't an answer, until the client is closed.

        Raises MessengerError when the messenger refuses the user for good. Frames that aren't durable, such
        as typing, are dropped while the application is slow.
        """
        async for frame in self._queue:
            yield cast(Event, frame)

    async def send(self, conversation_id: str, content: str | None = None, **fields: Any) -> Message:
        """Sends a message and returns it as it was stored. `fields` are the other fields of `message.send`.

        Waits as long as there is no connection; limit that with `asyncio.wait_for`. Raises MessengerError.
        """
        return await self._outbox.send({"conversation_id": conversation_id, "content": content, **fields})

    async def edit(self, message_id: str, content: str, **fields: Any) -> Message:
        """Gives one of the user's own messages another text, and returns it.

        `fields` are the other fields of `message.edit`. Raises MessengerError, like all that follow.
        """
        path = path_of("messages", message_id)
        message: Message = await self._rest.request("PUT", path, {"content": content, **fields})
        return message

    async def react(self, message_id: str, emoji: str) -> Reactions:
        """Sets the user's reaction with this emoji, if it isn't set. Returns all reactions to the message."""
        path = path_of("messages", message_id, "reactions", emoji)
        reactions: Reactions = await self._rest.request("PUT", path)
        return reactions

    async def unreact(self, message_id: str, emoji: str) -> None:
        """Removes the user's reaction with this emoji, if it is set."""
        await self._rest.request("DELETE", path_of("messages", message_id, "reactions", emoji))

    async def pin(self, message_id: str) -> Pins:
        """Pins a message, if it isn't pinned. Returns the newest pins of the conversation."""
        pins: Pins = await self._rest.request("PUT", path_of("messages", message_id, "pin"))
        return pins

    async def unpin(self, message_id: str) -> None:
        """Unpins a message, if it is pinned."""
        await self._rest.request("DELETE", path_of("messages", message_id, "pin"))

    def search(
        self,
        q: str,
        *,
        conversation_id: str | None = None,
        from_user: int | None = None,
        before: datetime | str | None = None,
        after: datetime | str | None = None,
        has: Has | None = None,
    ) -> AsyncIterator[SearchHit]:
        """Yields the messages that have all words of `q`, the newest first, among those the user may read.

        It asks for further pages while the caller goes on. Raises MessengerError, and ValueError for a time
        without a time zone.
        """
        query = search_query(
            q, conversation_id=conversation_id, from_user=from_user, before=before, after=after, has=has
        )
        return search(self._rest, query)

    async def upload(self, path: str | Path, *, name: str | None = None, mime: str | None = None) -> File:
        """Uploads a file, to send it as `send(…, attachments=[file["file_id"]])`. Returns what it is.

        An upload that is cut continues where it was. Raises MessengerError, and OSError for the file.
        """
        path = Path(path)
        with await asyncio.to_thread(path.open, "rb") as source:
            size = os.fstat(source.fileno()).st_size
            guessed = mime or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            body = {"name": name or path.name, "size": size, "mime": guessed}
            created: NewFile = await self._rest.request("POST", "/files", body)
            await Uploader(self._rest, created["upload"], source, size).run()
        file: File = await self._rest.request("POST", path_of("files", created["file_id"], "complete"))
        return file

    async def download(self, file_id: str, path: str | Path, *, thumb: int | None = None) -> None:
        """Writes a file that the user may read to `path`, which appears when it is whole.

        `thumb` is 320 or 840, for a small picture of it instead. Raises MessengerError, and OSError.
        """
        parts = ("files", file_id) if thumb is None else ("files", file_id, "thumb", thumb)
        await download(self._rest, path_of(*parts), Path(path))

    async def command(self, type: str, **fields: Any) -> Frame:
        """Sends any other command and returns its answer. Raises MessengerError."""
        if self._socket is None or not self._socket.done():
            raise unreachable("not connected")
        return await self._socket.result().command(type, fields)

    async def request(
        self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None
    ) -> Any:
        """Makes a REST request as the user, such as `GET /conversations`, and returns its JSON.

        It is repeated while its failure may pass, so it must be safe to repeat. Raises MessengerError.
        """
        return await self._rest.request(method, path, body, query)

    async def _run(self) -> None:
        try:
            error = await self._stay_connected()
        except Exception as failure:
            log.exception("the client failed")
            error = MessengerError("internal", repr(failure))
        self._stop(error, error)

    async def _stay_connected(self) -> MessengerError:
        """Connects again and again. Returns why the messenger refuses the user for good."""
        back_off = BackOff()
        while True:
            ended = await self._connect(back_off)
            is_refused = ended.status == 401 and self._tokens.refused()
            if not (ended.retryable or is_refused):
                return ended
            wait_s = back_off.next(ended.retry_after_s)
            log.info("connecting again in %.1f s: %s", wait_s, ended)
            await asyncio.sleep(wait_s)

    async def _connect(self, back_off: BackOff) -> MessengerError:
        """Holds a connection while it lasts. Returns why it ended."""
        try:
            token = await self._tokens.token()
            self._positions.socket_opened()
            socket = await open_socket(self._rest.session, self._url, token)
        except MessengerError as error:
            return error
        self._user_id = socket.user_id
        try:
            return await first_of(socket.read(self._received), self._work(socket, back_off))
        except MessengerError as error:
            return error
        finally:
            self._disconnected()
            await socket.close()

    async def _work(self, socket: Socket, back_off: BackOff) -> MessengerError:
        """Catches up, and sends what waits. Returns why it can't go on."""
        catch_up = CatchUp(socket, self._rest, self._positions, self._queue)
        await catch_up.list_conversations(is_first_start=self._is_first_start)
        self._is_first_start = False
        self._tokens.accepted()
        back_off.reset()
        self._connected(socket)
        return await first_of(self._outbox.run(socket), catch_up.run())

    def _received(self, frame: Frame) -> None:
        if "pos" not in frame or "conversation_id" not in frame:
            self._queue.offer(frame)
        elif not self._positions.is_new(frame):
            return
        elif self._queue.offer(frame):
            self._positions.passed(frame, self._user_id)
        else:
            self._positions.dropped(frame)

    def _connected(self, socket: Socket) -> None:
        assert self._socket is not None
        self._socket.set_result(socket)

    def _disconnected(self) -> None:
        if self._socket is not None and self._socket.done():
            self._socket = asyncio.get_running_loop().create_future()

    def _stop(self, error: MessengerError, for_events: MessengerError | None) -> None:
        self._outbox.fail(error)
        self._queue.end(for_events)
        if self._socket is not None and not self._socket.done():
            self._socket.set_exception(error)
            # Nobody else may wait for it.
            self._socket.exception()
