"""Declares the settings of push that chat-api and the feed share."""

from __future__ import annotations

from typing import Final

from messenger_shared.settings.variables import Flag

STDOUT: Final = Flag(
    name="MESSENGER_PUSH_STDOUT",
    default=False,
    meaning="1 takes devices of the kinds `fcm` and `apns`, and writes their pushes to the feed's standard "
    "output, with the texts of messages. For building adapters. Set it alike for chat-api and the feed.",
)
