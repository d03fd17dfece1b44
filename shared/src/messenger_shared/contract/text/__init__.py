"""Rules about texts that services and clients share: what is blank, how searches fold, what is an emoji."""
