"""The fault harness: users who chat and never give up, faults, and checks of what the users received.

actors     users, their devices, and how they ask and reconnect
injection  faults: the plan, their injection into servers and links, and the deployment under test
record     the log of a run, and what is stored at its end
judge      the checker, and the measurements and the table of a run
bugs       planted bugs, which the judge must find

`campaigns` says what a run does, `running` runs it, `__main__` is `make faults`.
"""
