"""The published systems and our own, as data: one file a paper."""
