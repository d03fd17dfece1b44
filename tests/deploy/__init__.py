"""What lies in deploy/: it is valid, and keeps the rules that an operator relies on."""
