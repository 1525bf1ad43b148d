"""`python -m sertk.cli ...`."""

from sertk.cli.main import main

main()
