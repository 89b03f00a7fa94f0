"""`python -m crawler` is the command `circularwatch`, for places where the script is not on the path."""

from crawler.cli import main

main()
