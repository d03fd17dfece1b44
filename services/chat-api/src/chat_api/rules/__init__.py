"""What is allowed, in plain Python: `conversations` for creating them, `access` for who may look,
`messages` for what may be done with one."""
