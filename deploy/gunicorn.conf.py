"""Owns how gunicorn runs a service, everywhere: in the embedded stack as in a cluster."""

import ctypes
import logging
import mmap
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

_SHARED_MEMORY = "/dev/shm"
_shared_memory = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK | os.X_OK) else None


def _figures_folder() -> str:
    """Where the workers' figures meet. What masters left that were killed is taken away."""
    place = Path(_shared_memory or tempfile.gettempdir())
    for left in place.glob("messenger-figures-*"):
        if not Path("/proc", left.name.split("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"messenger-figures-{os.getpid()}-", dir=place)


# Who counts asks for it at the import.
_figures = os.environ["PROMETHEUS_MULTIPROC_DIR"] = _figures_folder()

# ruff: noqa: E402
from aiohttp import GunicornUVLoopWebWorker
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from prometheus_client.multiprocess import mark_process_dead

from messenger_shared import common_settings, logs
from messenger_shared.service import Runner
from messenger_shared.settings import Environment, SettingsError

_PR_SET_PDEATHSIG = 1
# One byte that the master and its workers share.
_boot_failed = mmap.mmap(-1, 1)


class _JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines go the way of the service's."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers[:] = []
        self.error_log.propagate = True
        logs.configure(os.environ.get("MESSENGER_SERVICE", "gunicorn"))


class _Worker(GunicornUVLoopWebWorker):
    """aiohttp's uvloop worker, which leaves in peace and does not overlook that it is told to."""

    def load_wsgi(self) -> None:
        """Puts the application into a runner that lets it leave."""
        super().load_wsgi()
        make_app = self.wsgi

        async def make_runner() -> Runner:
            return Runner(
                await make_app(),
                access_log=None,
                keepalive_timeout=self.cfg.keepalive,
                shutdown_timeout=self.cfg.graceful_timeout,
            )

        self.wsgi = make_runner

    def init_signals(self) -> None:
        """Left for later: uvloop forgets a signal that comes before its loop runs, after the import."""

    def run(self) -> None:
        super().init_signals()
        super().run()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Leaves at once instead of at the next tick; the leaving itself is the same."""
        self.handle_quit(sig, frame)


def post_fork(server: Any, worker: Any) -> None:
    """Sets what a worker does before it has its own handlers."""
    # Its master was killed: nobody would ever stop it, and it would hold the port.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    # Told to stop while it still imports: the master's handlers would take note of that for nobody.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def worker_exit(server: Any, worker: Any) -> None:
    """A worker that could not even start ends its master too, instead of being tried again without a pause.

    Whoever runs the master (the supervisor, Docker, Kubernetes) starts it again, with back-off.
    """
    # The master calls this too, for a worker that it no longer finds.
    if not worker.booted and worker.pid == os.getpid():
        reason = sys.exc_info()[1]
        if isinstance(reason, SystemExit) and isinstance(reason.code, str):
            logging.getLogger(__name__).error(reason.code)
        _boot_failed[0] = 1
        os.kill(worker.ppid, signal.SIGTERM)
        # gunicorn's own code for this makes its master trip over the second such worker.
        raise SystemExit(1)


def child_exit(server: Any, worker: Any) -> None:
    """What a worker had open, it has no more, however it ended; what it counted stays."""
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """The master's exit code tells that it did not end because it was asked to."""
    shutil.rmtree(_figures, ignore_errors=True)
    if _boot_failed[0]:
        raise SystemExit(Arbiter.WORKER_BOOT_ERROR)


try:
    _env = Environment(os.environ)
    bind = common_settings.BIND.of(_env)
    workers = common_settings.WORKERS.of(_env)
    # For requests under way and for sockets to leave one by one; an orchestrator has to wait longer.
    graceful_timeout = common_settings.GRACEFUL.of(_env)
except SettingsError as error:
    raise SystemExit(f"gunicorn: {error}") from None
worker_class = _Worker
logger_class = _JsonLogger
accesslog = None

# A worker whose event loop stands still for so long is replaced; one that leaves shows no life either.
timeout = graceful_timeout + 15
keepalive = 75
# Recycling a worker would cut its sockets.
max_requests = 0
# The master imports, so that a worker that replaces a dead one is there in a moment, and not after a second
# of importing. Nothing is opened before the fork: the application is made in each worker.
preload_app = True
# By default it lies in the home directory, which several services share and which may be read-only.
control_socket_disable = True
# The heartbeat's file: on a slow disk, touching it would stop the worker's event loop.
worker_tmp_dir = _shared_memory
