"""The workloads of the benchmark on other servers, beside ours and the naive one, within the same minutes.

`python -m tests.bench.peers` installs what can be had of the peers, starts all servers, and runs W3, W1 and
W2 on one after the other. What it writes is meant for `shared/docs/peers.md`.

    __main__.py     the command line and the order of the runs
    peer.py         what a peer is: how it is installed and run, and what it promises
    centrifugo.py nats.py socketio.py
                    the peers
    socketio_app/   the server that is written with Socket.IO, with its locked packages
    ours.py         what our server and the naive one promise
    installing.py   building Go modules and installing npm packages, once, below the virtual environment
    redis.py        a Redis of a peer's own, with the settings of ours
    rooms.py        users and rooms of a peer
    tables.py       the tables, as Markdown

The load generator speaks their protocols: `tests/bench/dialects/`.
"""
