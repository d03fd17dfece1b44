"""What is allowed, in plain Python: `permissions` is the table of who may do what, `access` who may look,
`conversations` and `membership` how conversations come to be and how people come and go, `messages` what may
be done with one."""
