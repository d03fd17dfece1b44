"""Faults: `plan` decides which comes when, `server_faults` and `link_faults` inject them, `deployment` is the
stack under test.
"""
