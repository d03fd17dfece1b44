"""What happened in a run: `history` is the log; `database`, `archive`, `unread`, `downloads` read the end."""
