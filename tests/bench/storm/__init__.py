"""The storm benchmark: 10,000 members react to one message within ten seconds while others chat.

`python -m tests.bench.storm` starts the embedded stack. It runs the same chat in other conversations quietly
and beside a storm, in turns. It compares the counts with the rows, and shows the frames per second of a
socket, the delay of chat, and the CPU per reaction.

    __main__.py   the command line, and the runs
    results.py    the results of all runs together
    crowd.py      the process of the members, which has no scheduling weight
    members.py    the members: some with sockets, the others by REST
"""
