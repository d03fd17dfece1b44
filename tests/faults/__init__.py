"""The fault harness: people who chat and never give up, faults, and a judge of what they saw.

`history` is the log of all that was asked, answered and delivered; `virtual_client` a person who writes it;
`checker` the pure judge; `world` brings people and conversations together; the tests do the harm.
"""
