"""Planted bugs of delivery: order, repeats, members, reconnects, the bus, presence."""

from __future__ import annotations

from tests.faults.bugs import short_campaigns
from tests.faults.bugs.planting import Edit, bug

GATEWAY = "services/gateway/src/gateway"
CHAT_API = "services/chat-api/src/chat_api"
SHARED = "shared/src/messenger_shared"

DELIVERY = (
    bug(
        "holes are not repaired",
        short_campaigns.DROPS,
        "lost",
        Edit(
            f"{GATEWAY}/delivery/rooms.py",
            "        if room.stream.has_hole and room.id not in",
            "        if False and room.id not in",
        ),
    ),
    bug(
        "nobody says where conversations stand",
        short_campaigns.TAILS,
        "lost stale",
        Edit(
            f"{CHAT_API}/high_water_marks.py",
            "        if self._positions or self._membership_changes:",
            "        if False:",
        ),
    ),
    bug(
        "what comes after a hole doesn't wait",
        short_campaigns.DROPS,
        "hole",
        Edit(
            f"{GATEWAY}/connections/ordered_stream.py",
            "        if len(self._held) < MAX_HELD:\n",
            """\
        if self.has_begun:
            self.last_pos = event.pos
            return self._add_to_ring([event])
        if len(self._held) < MAX_HELD:
""",
        ),
    ),
    bug(
        "repeats go out",
        short_campaigns.REPEATS,
        "doubled reordered",
        Edit(
            f"{GATEWAY}/connections/ordered_stream.py",
            "        if event.pos <= self.last_pos:\n            return []\n        self._target",
            "        if event.pos <= self.last_pos:\n            return [event]\n        self._target",
        ),
    ),
    bug(
        "commands of one socket change places",
        short_campaigns.QUIET,
        "overtaken",
        Edit(
            f"{GATEWAY}/sockets/command_queue.py",
            "        group.append(queue.popleft())",
            "        group.insert(0, queue.popleft())",
        ),
    ),
    bug(
        "who was removed goes on hearing",
        short_campaigns.CHURN,
        "leaked",
        Edit(
            f"{GATEWAY}/delivery/rooms.py",
            "            self.leave(member, room)\n            for connection in room.replaying",
            "            for connection in room.replaying",
        ),
    ),
    bug(
        "who is back is told of the time between",
        short_campaigns.CHURN_AND_CUTS,
        "leaked",
        Edit(f"{GATEWAY}/delivery/resume.py", "member.user_id if after_pos < returned else 0", "0"),
        Edit(f"{GATEWAY}/delivery/resume.py", "if after_pos >= returned else None", "if True else None"),
    ),
    bug(
        "coming back begins one too late",
        short_campaigns.LINKS_CUT,
        "lost stale",
        Edit(
            f"{GATEWAY}/connections/ordered_stream.py",
            "for event in self._ring if event.pos > pos]",
            "for event in self._ring if event.pos > pos + 1]",
        ),
    ),
    bug(
        "coming back leaves deletions out",
        short_campaigns.LINKS_CUT,
        "lost stale",
        Edit(
            f"{GATEWAY}/delivery/replay.py",
            "    return _join_additions(sorted(merged, key=lambda event: event.pos))",
            "    merged = [event for event in merged if event.type != MESSAGE_DELETED]\n"
            "    return _join_additions(sorted(merged, key=lambda event: event.pos))",
        ),
    ),
    bug(
        "what is live doesn't wait for the replay",
        short_campaigns.LINKS_CUT,
        "doubled reordered",
        Edit(f"{GATEWAY}/delivery/resume.py", "        room.replaying.add(connection)\n", ""),
        # Long enough on any machine for a live event to come in between.
        Edit(
            f"{GATEWAY}/delivery/resume.py",
            "            is_written = await self._write_paced(",
            "            await asyncio.sleep(0.2)\n            is_written = await self._write_paced(",
        ),
    ),
    bug(
        "a dead worker goes on being asked",
        short_campaigns.CHAT_API_DIES,
        "budget",
        Edit(
            f"{SHARED}/rpc/client.py",
            "            if reached == 0:\n                self._rosters[service].drop(worker)\n",
            "",
        ),
        Edit(
            f"{SHARED}/rpc/workers.py",
            "        if not self._bus.connected:\n            return\n",
            "        return\n",
        ),
    ),
    bug(
        "a new connection to Redis hears nothing",
        short_campaigns.SUBSCRIBERS_CUT,
        "budget",
        Edit(
            f"{SHARED}/bus/redis_bus.py",
            'self._subscriber.send("SUBSCRIBE", *self._handlers)',
            'self._subscriber.send("SUBSCRIBE", self._tick_channel)',
        ),
        Edit(
            f"{SHARED}/bus/redis_bus.py",
            "self._confirmed, self._requested = 0, len(self._handlers)",
            "self._confirmed, self._requested = 0, 1",
        ),
    ),
    bug(
        "presence is not told who came",
        short_campaigns.REDIS_EMPTIED,
        "absent",
        Edit(
            f"{GATEWAY}/presence/reporter.py",
            '"opened": [user_id for user_id, away in states.items() if away is False],',
            '"opened": [],',
        ),
    ),
)
