"""The presence benchmark: 10,000 users come and go within ten seconds while some chat.

`python -m tests.bench.presence` starts the embedded stack without a grace period, so that every transition is
published. It runs the same chat quietly and with the flapping users, in turns. It shows the frames per second
of a socket, the cost of chat meanwhile, and the CPU per transition.

    __main__.py   the command line, and the runs
    findings.py   the results of all runs together
    crowd.py      the process of everything below, which has no scheduling weight
    flapping.py   the users who come and go: most by reports to presence, some with real sockets
    viewers.py    the sockets that receive presence, and how often
    ground.py     the stack, and the conversation that all of them are in
"""
