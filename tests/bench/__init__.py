"""The benchmark: what the servers spend per delivery, per durable message and per socket.

`python -m tests.bench` compiles the C programs beside this file, starts the embedded stack and a naive server
and prints each workload of both, beside a bare `send()`.

    __main__.py     the command line and the order of things
    workloads.py    W1 to W3, W2 under rising load, and what is read off a run
    crowds.py       W4 and W7: users in many conversations
    growing.py      W2 with more workers, more conversations, larger messages
    apart.py        the workloads with stacks of their own: history/, presence/
    servers.py      the servers under load: the embedded stack, the naive server
    naive.py        the naive server
    arrangement.py  users and conversations, made over REST
    generator.py    one run of the load generator
    programs.py     compiling the C programs, and the send() reference
    usage.py        CPU and memory of the servers, out of /proc
    report.py       the budgets, the table and the JSON
    chart.py        cost and latency against load
    guard.py        what workloads may cost beside the naive server; test_guard.py holds it in every test run
    baseline.json   what they cost beside it
    load.c day.c    the load generators: users in one conversation each, in many; both over
                    clients.[ch] (their sockets) and figures.[ch] (what they measure)
    send_reference.c
"""
