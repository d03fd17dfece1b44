"""The SDK for host applications and bots, against the running stack."""
