"""The search spaces, one a file: for each family of networks what is varied, and between which bounds."""
