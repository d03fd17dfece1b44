"""What happened in a run: `history` is the log, `database` and `archive` read what is stored at the end."""
