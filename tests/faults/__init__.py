"""The fault harness: users who chat and never give up, faults, and checks of what the users received.

actors     users, their devices, and how they ask and reconnect
injection  faults: the plan, their injection into servers and links, and the deployment under test
record     the log of a run, and what is stored at its end: tables, history, who is online, files
judge      the checker, and the measurements and the table of a run
bugs       planted bugs, which the judge must find

Files are covered twice. Users of the campaigns upload small ones and send them, while the judge looks at what
everybody is told and can read. `test_uploads` kills every service while larger ones are on their way:
MESSENGER_UPLOADERS=50 runs it at full size.

`campaigns` says what a run does, `running` runs it, `__main__` is `make faults`.
"""
