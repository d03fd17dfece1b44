"""Builds Go modules and installs npm packages, once, below the virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.bench.peers.peer import Unavailable

_CACHE = Path(sys.prefix) / "peers"
# A first build of a large module downloads and compiles hundreds of packages.
_DEADLINE_S = 1_200.0


@dataclass(frozen=True)
class GoProgram:
    """The program of a Go module at one version."""

    module: str
    version: str
    name: str

    @property
    def path(self) -> Path:
        """Where the program is once it is installed."""
        return _CACHE / f"{self.name}-{self.version}" / self.name

    def install(self) -> None:
        """Builds the program. Raises Unavailable."""
        if self.path.exists():
            return
        if shutil.which("go") is None:
            raise Unavailable("Go isn't installed")
        # `go install` puts the program in its place only when it is whole.
        _run(("go", "install", f"{self.module}@{self.version}"), {"GOBIN": str(self.path.parent)})


@dataclass(frozen=True)
class NodeApp:
    """A folder with a `package.json`, its lock file, and a `server.js`."""

    sources: Path

    @property
    def path(self) -> Path:
        """Where the app is once it is installed: another place for other packages."""
        lock = (self.sources / "package-lock.json").read_bytes()
        return _CACHE / f"{self.sources.name}-{sha256(lock).hexdigest()[:12]}"

    def is_installed(self) -> bool:
        """Returns whether its packages are there, and Node.js to run it."""
        # npm writes this file last.
        return (self.path / "node_modules" / ".package-lock.json").exists() and bool(shutil.which("node"))

    def install(self) -> None:
        """Installs exactly the locked packages, and copies the server beside them. Raises Unavailable."""
        if shutil.which("node") is None or shutil.which("npm") is None:
            raise Unavailable("Node.js isn't installed")
        self.path.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", "server.js"):
            shutil.copy(self.sources / name, self.path)
        if not self.is_installed():
            _run(("npm", "ci", "--no-audit", "--no-fund", "--silent", "--prefix", str(self.path)), {})


def _run(command: Sequence[str], env: Mapping[str, str]) -> None:
    print(
        f"bench: {' '.join(command[:3])}: this may take minutes, the first time", file=sys.stderr, flush=True
    )
    try:
        done = subprocess.run(
            command,
            env=os.environ | env,
            capture_output=True,
            text=True,
            timeout=_DEADLINE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]} took more than {_DEADLINE_S:.0f} s") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise Unavailable(f"{' '.join(command[:3])} failed: {last}")
