"""One reader a corpus: what a folder holds, told by the names of its files."""
