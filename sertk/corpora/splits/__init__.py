"""Which clips train, validate and test a network, and what a split leaks."""
