"""The bytes of files: `uploads` and `downloads`. `attempts` repeats what is cut."""
