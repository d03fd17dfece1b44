"""The embedded stack: PostgreSQL, Valkey and the three services on one machine, behind `messenger`.

cli            the command line
stack          the order of start and stop
child          supervises one process
processes      starts processes, awaits them, and ends orphans
launch         runs in each new process before its program
postgres, valkey, services   how each of them runs
probe          polls until a server or service is ready
wheels         finds the servers' programs
datadir        the data directory: lock, version, secrets, ports
status         the status file of the running stack
procfs         the process table
terminal       the log on the terminal
logline        parses the log lines of each program
configuration  the table of settings and the values in force
demo           the people and conversations of the demo, as data
seeding        adds the demo to a running stack
gateway_app    the gateway plus the routes for development
failure        the one-line error
"""
