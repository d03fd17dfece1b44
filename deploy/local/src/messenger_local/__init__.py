"""The embedded stack: PostgreSQL, Valkey and the three services on one machine, behind `messenger`.

cli          the command line
stack        the order of start and stop
child        one supervised process; family: starting, awaiting and sweeping them; launch: their first step
postgres, valkey, services   how each of them runs; probe: whether a service is ready
wheels       where the servers' programs are
datadir      what is kept: lock, version, secrets, ports
status       what the running stack says about itself; procfs: the process table
terminal     the log; logline: how each program's lines are read
gateway_app  the gateway with the one route that only this stack has
failure      the one-line error
"""
