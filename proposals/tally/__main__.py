"""Lets `python -m proposals.tally METHOD FILE.blt` count a file from the shell."""

import sys

from proposals.tally.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
