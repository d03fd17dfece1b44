"""Adapts podman to this machine: a configuration that works here, or a line on what is missing."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

# Enough for any container here. podman may have been given fewer processes than it would grant.
_ENOUGH = {"nofile": (resource.RLIMIT_NOFILE, 1_048_576), "nproc": (resource.RLIMIT_NPROC, 4_096)}
_HELPERS = ("/usr/local/libexec/podman", "/usr/local/lib/podman", "/usr/libexec/podman", "/usr/lib/podman")
# Programs for administration are not on every user's path.
_PROGRAMS = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"
_BUILDERS = {"debootstrap": "debootstrap", "node": "Node.js", "npm": "Node.js with npm"}

Find = Callable[[str], bool]


def configuration() -> str:
    """Returns a containers.conf for one run.

    The user may have fewer rights than root elsewhere: podman then asks for more open files than it can give,
    and no container starts. crun doesn't know every form of control groups that runc knows. Without
    netavark's name server, containers don't find each other.
    """
    limits = {name: _allowed(kind, enough) for name, (kind, enough) in _ENOUGH.items()}
    ulimits = ", ".join(f'"{name}={limit}:{limit}"' for name, limit in limits.items())
    runtime = "runc" if _is_program("runc") else "crun"
    return (
        f"[containers]\ndefault_ulimits = [{ulimits}]\n\n"
        f'[engine]\nruntime = "{runtime}"\n\n[network]\nnetwork_backend = "netavark"\n'
    )


def is_configured() -> bool:
    """Whether podman is configured already; a configuration of ours would hide that."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    places = (Path("/etc/containers"), home / "containers")
    found = any((p / "containers.conf").exists() or any(p.glob("containers.conf.d/*.conf")) for p in places)
    return found or "CONTAINERS_CONF" in os.environ


def missing(is_program: Find | None = None, is_helper: Find | None = None) -> Iterator[str]:
    """Yields a line for each thing that podman lacks to run several containers in one network."""
    is_program, is_helper = is_program or _is_program, is_helper or _is_helper
    if os.geteuid() != 0:
        yield "podman: run this as root, since it kills containers' processes by their ids"
    if not is_program("runc") and not is_program("crun"):
        yield "podman has no runtime: install runc or crun"
    for name in ("netavark", "aardvark-dns"):
        if not is_helper(name):
            yield f"podman has no {name}, so that containers don't find each other: install {name}"
    if not is_program("iptables") and not is_program("nft"):
        yield "netavark has nothing to open ports with: install iptables"


def missing_for_images(is_program: Find | None = None) -> Iterator[str]:
    """Yields a line for each thing that is missing to build the base images here."""
    for program, package in _BUILDERS.items():
        if not (is_program or _is_program)(program):
            yield f"no registry of images is reached; to make them, {program} is missing: install {package}"


def _allowed(kind: int, enough: int) -> int:
    hard = resource.getrlimit(kind)[1]
    return enough if hard == resource.RLIM_INFINITY else min(hard, enough)


def _is_program(name: str) -> bool:
    return shutil.which(name, path=_PROGRAMS) is not None


def _is_helper(name: str) -> bool:
    return any(Path(place, name).exists() for place in _HELPERS) or _is_program(name)
