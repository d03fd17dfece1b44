"""All tests: unit (no servers), contract (fake and real alike), integration (one service over real servers),
e2e and browser (the whole stack), faults (the stack while parts of it die), bench (one of them a guard).
"""
