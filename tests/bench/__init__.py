"""The benchmark: what the servers spend per delivery, per durable message and per socket.

`python -m tests.bench` compiles the C programs beside this file and starts the embedded stack and a naive
server. It prints each workload of both, compared with a bare `send()`.

    __main__.py     the command line and the order of the runs
    workloads.py    W1 to W3, W2 under rising load, and the results
    scaling.py      W2 with more workers, more conversations, larger messages
    command.py      running a benchmark with its own stack, as feed/ and peers/ are
    own_stack.py    the workloads with their own stacks: history/, presence/
    many_conversations.py
                    W4 and W7: users in many conversations
    servers.py      the servers under load: the embedded stack, the naive server
    naive.py        the naive server
    seeding.py      users and conversations, created over REST
    generator.py    one run of the load generator
    programs.py     compiling the C programs, and the send() reference
    usage.py        CPU and memory of the servers, out of /proc
    report.py       the budgets, the table and the JSON
    chart.py        cost and latency against load
    guard.py        the allowed cost relative to the naive server; test_guard.py checks it in every test run
    baseline.json   the measured cost relative to the naive server
    load.c day.c    the load generators: users in one conversation each, or in many; both use
                    clients.[ch] (their sockets, with the users of users.c and the frames of websocket.h)
                    and figures.[ch] (their measurements)
    dialects/       the protocols that load.c speaks: ours and those of peers/
    hear.c          what a dialect understands, for test_dialects.py
    send_reference.c
"""
