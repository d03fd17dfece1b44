"""Records whether a PostgreSQL server answers and takes writes, as its statements show."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from messenger_shared.postgres.sqlstates import Failure

log = logging.getLogger(__name__)

# After a lack of disk or memory, a write check doesn't count for this long: a small write may succeed while
# real ones fail.
OUT_OF_RESOURCES_S: Final = 3.0
# A repeated refusal is logged once in this time.
LOG_INTERVAL_S: Final = 10.0


class Health:
    """Updated after every statement. After refused writes, only a write check makes it healthy again."""

    def __init__(self, *, needs_writes: bool) -> None:
        self.is_answering = False
        self.answered_at = 0.0
        self.writes_checked_at = 0.0
        self._takes_writes = not needs_writes
        self._needs_writes = needs_writes
        self._out_of_resources_until = 0.0
        self._logged_at = -LOG_INTERVAL_S
        self._loop = asyncio.get_running_loop()

    @property
    def is_healthy(self) -> bool:
        """Whether the server answers, and takes writes if those are needed."""
        return self.is_answering and self._takes_writes

    def record_answer(self) -> None:
        """Records that the server answered."""
        if not self.is_answering:
            log.info("postgresql is available")
        self.is_answering = True
        self.answered_at = self._loop.time()

    def record_write_check_passed(self) -> bool:
        """Records that the write check succeeded. Returns whether writes had been refused until now."""
        self.writes_checked_at = self._loop.time()
        if self._takes_writes or self.writes_checked_at < self._out_of_resources_until:
            return False
        log.info("postgresql accepts writes")
        self._takes_writes = True
        return True

    def record_failure(self, failure: Failure, reason: str) -> None:
        """Records that a statement failed."""
        if failure is Failure.UNREACHABLE:
            if self.is_answering:
                log.warning("postgresql failed: %s", reason)
            self.is_answering = False
        elif failure is Failure.TEMPORARY:
            log.warning("postgresql refused a statement: %s", reason)
        else:
            self._record_refused_writes(reason)
            if failure is Failure.OUT_OF_RESOURCES:
                self._out_of_resources_until = self._loop.time() + OUT_OF_RESOURCES_S

    def record_write_check_failed(self, reason: str) -> None:
        """Records that the server refused the write check."""
        self._record_refused_writes(reason)

    def _record_refused_writes(self, reason: str) -> None:
        now = self._loop.time()
        if now - self._logged_at >= LOG_INTERVAL_S:
            self._logged_at = now
            log.warning("postgresql accepts no writes: %s", reason)
        self._takes_writes = not self._needs_writes
