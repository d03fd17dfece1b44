"""The contents of deploy/ are valid, and keep the rules that an operator relies on."""
