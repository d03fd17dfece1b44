"""Owns the planted bugs of telling: order, repeats, members, coming back, the bus, who is online."""

from __future__ import annotations

from tests.faults import aims
from tests.faults.planting import Edit, bug

GATEWAY = "services/gateway/src/gateway"
CHAT_API = "services/chat-api/src/chat_api"
SHARED = "shared/src/messenger_shared"

TELLING = (
    bug(
        "holes are not repaired",
        aims.DROPS,
        "lost",
        Edit(
            f"{GATEWAY}/rooms.py",
            "        if room.stream.incomplete and room.id not in",
            "        if False and room.id not in",
        ),
    ),
    bug(
        "nobody says where conversations stand",
        aims.TAILS,
        "lost stale",
        Edit(f"{CHAT_API}/heads.py", "        if self._positions or self._joined:", "        if False:"),
    ),
    bug(
        "what comes after a hole doesn't wait",
        aims.DROPS,
        "hole",
        Edit(
            f"{GATEWAY}/stream.py",
            "        # At the bound the event is let go: it stays below the target and is fetched later.\n",
            """\
        if self.began:
            self.last_pos = event.pos
            return self._keep([event])
""",
        ),
    ),
    bug(
        "repeats go out",
        aims.REPEATS,
        "doubled reordered",
        Edit(
            f"{GATEWAY}/stream.py",
            "        if event.pos <= self.last_pos:\n            return []\n        self._target",
            "        if event.pos <= self.last_pos:\n            return [event]\n        self._target",
        ),
    ),
    bug(
        "commands of one socket change places",
        aims.QUIET,
        "overtaken",
        Edit(
            f"{GATEWAY}/lane.py",
            "        group.append(queue.popleft())",
            "        group.insert(0, queue.popleft())",
        ),
    ),
    bug(
        "who was removed goes on hearing",
        aims.COMINGS,
        "leaked",
        Edit(
            f"{GATEWAY}/rooms.py",
            "            self.leave(member, room)\n            for connection in room.holding",
            "            for connection in room.holding",
        ),
    ),
    bug(
        "who is back is told of the time between",
        aims.COMINGS_AND_CUTS,
        "leaked",
        Edit(f"{GATEWAY}/resuming.py", "member.user_id if after_pos < returned else 0", "0"),
        Edit(f"{GATEWAY}/resuming.py", "if after_pos >= returned else None", "if True else None"),
    ),
    bug(
        "coming back begins one too late",
        aims.LINKS_CUT,
        "lost stale",
        Edit(
            f"{GATEWAY}/stream.py",
            "for event in self._kept if event.pos > pos]",
            "for event in self._kept if event.pos > pos + 1]",
        ),
    ),
    bug(
        "coming back leaves deletions out",
        aims.LINKS_CUT,
        "lost stale",
        Edit(
            f"{GATEWAY}/replay.py",
            "    return sorted(merged, key=lambda event: event.pos)",
            "    merged = [event for event in merged if event.type != MESSAGE_DELETED]\n"
            "    return sorted(merged, key=lambda event: event.pos)",
        ),
    ),
    bug(
        "what is live doesn't wait for the replay",
        aims.LINKS_CUT,
        "doubled reordered",
        Edit(f"{GATEWAY}/resuming.py", "        room.holding.add(connection)\n", ""),
        # On any machine long enough for somebody to say something meanwhile.
        Edit(
            f"{GATEWAY}/resuming.py",
            "            is_written = await self._write(",
            "            await asyncio.sleep(0.2)\n            is_written = await self._write(",
        ),
    ),
    bug(
        "a dead worker goes on being asked",
        aims.CHAT_API_DIES,
        "budget",
        Edit(
            f"{SHARED}/rpc_client.py",
            "            if reached == 0:\n                self._rosters[service].drop(worker)\n",
            "",
        ),
        Edit(
            f"{SHARED}/workers.py",
            "        if not self._bus.ready:\n            return\n",
            "        return\n",
        ),
    ),
    bug(
        "a new connection to Redis hears nothing",
        aims.SUBSCRIBERS_CUT,
        "budget",
        Edit(
            f"{SHARED}/redis_bus.py",
            'self._subscriber.send("SUBSCRIBE", *self._handlers)',
            'self._subscriber.send("SUBSCRIBE", self._tick_channel)',
        ),
        Edit(
            f"{SHARED}/redis_bus.py",
            "self._confirmed, self._asked = 0, len(self._handlers)",
            "self._confirmed, self._asked = 0, 1",
        ),
    ),
    bug(
        "presence is not told who came",
        aims.REDIS_EMPTIED,
        "absent",
        Edit(
            f"{GATEWAY}/reporting.py",
            '"opened": [user_id for user_id, away in states.items() if away is False],',
            '"opened": [],',
        ),
    ),
)
