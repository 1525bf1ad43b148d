"""Which times and bands an answer hangs on."""
