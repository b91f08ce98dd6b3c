"""Draw an opinion map again: `python -m proposals.opinions INPUT.json`."""

import sys

from proposals.opinions.command import main

if __name__ == "__main__":
    sys.exit(main())
