"""Owns which settings chat-api has: those of every service with a store, and no others."""

import sys
from typing import Final

from messenger_shared.common_settings import PROCESS, STORE
from messenger_shared.variables import Variable, main

VARIABLES: Final[tuple[Variable, ...]] = (*STORE, *PROCESS)


if __name__ == "__main__":
    sys.exit(main(VARIABLES))
