"""Finds the servers' programs in their wheels, without importing them: that costs time and leaves files."""

from importlib.util import find_spec
from pathlib import Path

from messenger_local.failure import StackError


def program(package: str, pattern: str) -> Path:
    """The one file of the wheel `package` that matches `pattern`. Raises StackError."""
    spec = find_spec(package)
    found = list(Path(spec.origin).parent.glob(pattern)) if spec and spec.origin else []
    if len(found) != 1:
        raise StackError(f"{package} is not installed, or has no {pattern} for this kind of machine")
    return found[0]
