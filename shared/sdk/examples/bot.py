"""A bot that answers every message: `python bot.py URL TOKEN`."""

import asyncio
import sys

from messenger_sdk import Client


async def main(url: str, token: str) -> None:
    """Runs until the messenger refuses the bot, or until Ctrl-C."""
    async with Client(url, lambda: token) as client:
        async for event in client.events():
            if event["type"] == "message.new" and event["data"]["sender_id"] not in (0, client.user_id):
                await client.send(event["conversation_id"], f"You said: {event['data']['content']}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
