"""Fetching the corpora that may be fetched: where they are, over which line, how they are unpacked."""
