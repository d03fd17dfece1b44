"""The feed: a process that follows the committed changes of conversations, for consumers with names.

app       builds the application: settings, consumers, and the order in which they start and stop
settings  the settings of the process
metrics   what it tells of itself
"""
