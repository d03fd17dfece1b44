"""A bot that marks each message that mentions it, and answers: `python reacting_bot.py URL TOKEN`."""

import asyncio
import contextlib
import sys

from messenger_sdk import Client, Mention, MessengerError, compose


async def main(url: str, token: str) -> None:
    """Runs until the messenger refuses the bot, or until Ctrl-C."""
    async with Client(url, lambda: token) as client:
        async for event in client.events():
            if event["type"] != "message.new":
                continue
            message = event["data"]
            mentions = message.get("mentions")
            if mentions is None or client.user_id not in mentions["user_ids"]:
                continue
            # By now the message may have been deleted, or the bot removed.
            with contextlib.suppress(MessengerError):
                await client.react(message["id"], "👀")
                answer = compose("👋 ", Mention(message["sender_id"], "you"), " called me.")
                await client.send(message["conversation_id"], reply_to=message["id"], **answer)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
