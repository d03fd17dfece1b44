"""The benchmark: what the servers spend per delivery, per durable message and per socket.

`python -m tests.bench` compiles the C programs beside this file, starts the embedded stack, and prints each
workload beside a naive server and beside a bare `send()`.

    __main__.py     the command line and the order of things
    workloads.py    what is run and what is read off it
    servers.py      the servers under load: the embedded stack, the naive server
    naive.py        the naive server
    arrangement.py  users and conversations, made over REST
    generator.py    one run of the load generator
    programs.py     compiling the C programs, and the send() reference
    usage.py        CPU and memory of the servers, out of /proc
    report.py       the budgets, the table and the JSON
    load.c clients.c clients.h send_reference.c
"""
