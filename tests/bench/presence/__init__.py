"""The presence benchmark: 10,000 users come and go within ten seconds while some chat.

`python -m tests.bench.presence` starts the embedded stack without a grace, so that every coming and going is
told, and runs the same chat quietly and with the flapping, in turn. It shows the frames that a socket gets a
second, what chat costs meanwhile, and the CPU per transition.

    __main__.py   the command line, and the runs
    findings.py   what they say together
    crowd.py      the process of all the following, which has no weight
    flapping.py   the users who come and go: most by reports to presence, some with real sockets
    viewers.py    the sockets that are told of them, and how often
    ground.py     the stack, and the conversation in which all of them are
"""
