"""Sets a child's death signal, user and niceness, then runs its program.

It runs as a script (`python -I -S launch.py …`), so it imports the standard library alone.
"""

import argparse
import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def main() -> None:
    """Replaces this process by the program after `--`."""
    options = _options()
    if options.uid is not None:
        _change_user(options.uid, options.gid, options.program[0], options.required_dir)
    if options.nice:
        # Raising the niceness is always allowed.
        os.nice(options.nice)
    # After the change of user, since that clears the death signal.
    _libc.prctl(_PR_SET_PDEATHSIG, options.death_signal, 0, 0, 0)
    if os.getppid() != options.parent:
        sys.exit("the supervisor is gone")
    try:
        os.execv(options.program[0], options.program)
    except OSError as error:
        sys.exit(f"cannot run {options.program[0]}: {error.strerror}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--death-signal", type=int, required=True)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--required-dir", default=os.curdir)
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("program", nargs="+")
    return parser.parse_args()


def _change_user(uid: int, gid: int, program: str, directory: str) -> None:
    """Changes the user for good and keeps one capability: passing through closed directories.

    The data directory and the installation may be in root's home, which no other user may enter, and whose
    permissions we must not change. The program checks its own files with access(2), which ignores the
    capabilities of a user other than root unless the security bit is set.
    """
    if _libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0) != 0:
        _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    try:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except OSError as error:
        sys.exit(
            f"root may not become user {uid} here ({error.strerror}), and PostgreSQL refuses to run as root:"
            " start it as an ordinary user"
        )
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        # A program that was installed under a strict umask is itself closed; only the second one opens it.
        if _hold(capability) and os.access(program, os.X_OK):
            break
    _pass_on(capability)
    _check_access(uid, program, directory)


def _hold(capability: int) -> bool:
    """Makes `capability` the effective one. False if a container withholds it."""
    return _set_capabilities(capability, {_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE}) or _set_capabilities(
        capability, {capability}
    )


def _pass_on(capability: int) -> None:
    """Keeps `capability` alone, across the coming exec too."""
    if _set_capabilities(capability, {capability}):
        _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def _set_capabilities(effective: int, permitted: set[int]) -> bool:
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    low = 1 << effective
    all_of_them = sum(1 << number for number in permitted)
    sets = (ctypes.c_uint32 * 6)(low, all_of_them, low, 0, 0, 0)
    return bool(_libc.capset(ctypes.byref(header), sets) == 0)


def _check_access(uid: int, program: str, directory: str) -> None:
    """Exits with one line of advice if the new user can't reach the program or the directory."""
    inaccessible = None if os.access(program, os.X_OK) else program
    if inaccessible is None:
        try:
            os.scandir(directory).close()
        except OSError:
            inaccessible = directory
    if inaccessible is not None:
        sys.exit(
            f"user {uid}, as whom PostgreSQL has to run, cannot reach {inaccessible}:"
            " put it below directories that everybody may enter, or start as an ordinary user"
        )


if __name__ == "__main__":
    main()
