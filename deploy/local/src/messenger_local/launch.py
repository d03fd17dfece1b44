"""Owns the last step before a child's program runs: dies with its parent, drops root or weight if it must.

Run as a script (`python -I -S launch.py …`), so it imports the standard library alone.
"""

import argparse
import contextlib
import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def main() -> None:
    """Becomes the program given after `--`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--death-signal", type=int, required=True)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--yields", action="store_true")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    if options.uid is not None:
        _become(options.uid, options.gid)
    if options.yields:
        # Some sandboxes know no such policy; then it weighs as much as everybody.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    # After the change of user, which clears it.
    _libc.prctl(_PR_SET_PDEATHSIG, options.death_signal, 0, 0, 0)
    if os.getppid() != options.parent:
        sys.exit("the supervisor is gone")
    try:
        os.execv(options.program[0], options.program)
    except OSError as error:
        sys.exit(f"cannot run {options.program[0]}: {error.strerror}")


def _become(uid: int, gid: int) -> None:
    """Changes the user for good, keeping one right: to pass through directories that are closed to it.

    The data directory and the installation may lie in root's own home, which no other user may enter, and
    whose permissions are not ours to change.
    """
    _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        if _keep(capability):
            return


def _keep(capability: int) -> bool:
    """Keeps `capability` alone, over the coming exec too; False if a container withholds it."""
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if _libc.capset(ctypes.byref(header), sets) != 0:
        return False
    return bool(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0)


if __name__ == "__main__":
    main()
