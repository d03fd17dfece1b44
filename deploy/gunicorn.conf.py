"""Configures gunicorn for every service, in the embedded stack and in a cluster alike."""

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
# Room for the metrics of many workers. In a full file system, a worker dies by SIGBUS instead of an error.
_SPACE_BYTES = 16 * 1024 * 1024


def _has_space(directory: str) -> bool:
    """Whether `directory` exists, is writable for us and has free space."""
    try:
        status = os.statvfs(directory)
    except OSError:
        return False
    # A file system without a size limit reports no size at all.
    is_large_enough = status.f_blocks == 0 or status.f_bavail * status.f_frsize >= _SPACE_BYTES
    return is_large_enough and os.access(directory, os.W_OK | os.X_OK)


_shared_memory = _SHARED_MEMORY if _has_space(_SHARED_MEMORY) else None


def _make_metrics_dir() -> str:
    """Makes the folder for the metrics of all workers. Removes the folders of masters that were killed."""
    directory = Path(_shared_memory or tempfile.gettempdir())
    for leftover in directory.glob("messenger-metrics-*"):
        if not Path("/proc", leftover.name.split("-")[2]).exists():
            shutil.rmtree(leftover, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"messenger-metrics-{os.getpid()}-", dir=directory)


# prometheus_client reads this variable when it is imported.
_metrics_dir = os.environ["PROMETHEUS_MULTIPROC_DIR"] = _make_metrics_dir()

# ruff: noqa: E402
from aiohttp import GunicornUVLoopWebWorker
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.sock import BaseSocket
from prometheus_client.multiprocess import mark_process_dead

from messenger_shared.observability import logs
from messenger_shared.runtime.service import Runner
from messenger_shared.settings import common
from messenger_shared.settings.environment import Environment, SettingsError

_PR_SET_PDEATHSIG = 1
# One byte that the master and its workers share.
_boot_failed = mmap.mmap(-1, 1)


# gunicorn would listen before any worker can answer. A proxy's request would then wait in the queue of a
# service that is still starting, for as long as Redis is away. So gunicorn only binds the port, and the first
# worker that can serve begins to listen. Until then connections are refused, and a proxy tries the next one.
BaseSocket._is_listening = staticmethod(lambda _: True)


class _JsonLogger(Logger):  # type: ignore[misc]
    """Sends gunicorn's own log lines through the service's JSON log."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers[:] = []
        self.error_log.propagate = True
        logs.configure(os.environ.get("MESSENGER_SERVICE", "gunicorn"))


class _Worker(GunicornUVLoopWebWorker):
    """aiohttp's uvloop worker with a clean shutdown, which never misses a stop signal."""

    def load_wsgi(self) -> None:
        """Wraps the application in our Runner, which shuts it down cleanly."""
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
        """Does nothing yet; `run` does it. uvloop loses a signal that comes between import and loop start."""

    def run(self) -> None:
        super().init_signals()
        super().run()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Starts the same shutdown at once instead of at the next tick."""
        self.handle_quit(sig, frame)


def post_fork(server: Any, worker: Any) -> None:
    """Sets the worker's signals for the time before it has its own handlers."""
    # The worker dies with its master. Otherwise nobody would ever stop it, and it would hold the port.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    # The worker inherits the master's handlers. During its import they would swallow a stop signal.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def worker_exit(server: Any, worker: Any) -> None:
    """Ends the master when a worker fails to start, so that gunicorn doesn't retry without a pause.

    The supervisor, Docker or Kubernetes restarts the master with back-off.
    """
    # The master also calls this, for a worker that has disappeared.
    if not worker.booted and worker.pid == os.getpid():
        reason = sys.exc_info()[1]
        if isinstance(reason, SystemExit) and isinstance(reason.code, str):
            logging.getLogger(__name__).error(reason.code)
        _boot_failed[0] = 1
        os.kill(worker.ppid, signal.SIGTERM)
        # Not gunicorn's own exit code for this: the master fails on the second worker that ends with it.
        raise SystemExit(1)


def child_exit(server: Any, worker: Any) -> None:
    """Clears an ended worker's live gauges; its counters stay."""
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Removes the metrics folder. Ends with a failure code if a worker could not start."""
    shutil.rmtree(_metrics_dir, ignore_errors=True)
    if _boot_failed[0]:
        raise SystemExit(Arbiter.WORKER_BOOT_ERROR)


try:
    _env = Environment(os.environ)
    bind = common.BIND.of(_env)
    workers = common.WORKERS.of(_env)
    # Time for requests under way to finish and sockets to leave one by one. Orchestrators must wait longer.
    graceful_timeout = common.GRACEFUL.of(_env)
except SettingsError as error:
    raise SystemExit(f"gunicorn: {error}") from None
worker_class = _Worker
logger_class = _JsonLogger
accesslog = None

# A worker whose event loop stalls for this long is replaced. A worker that shuts down doesn't report either.
timeout = graceful_timeout + 15
keepalive = 75
# Never recycle a worker: that would cut its sockets.
max_requests = 0
# The master imports the code, so that a worker that replaces a dead one starts at once instead of importing
# for a second. Nothing is opened before the fork: each worker makes its own application.
preload_app = True
# By default this socket is in the home directory, which several services share and which may be read-only.
control_socket_disable = True
# The worker's heartbeat file: on a slow disk, touching it would block the event loop.
worker_tmp_dir = _shared_memory
