"""The upload benchmark: many large uploads at once, the memory of the gateway, and chat beside them."""
