"""`python -m wxexp`."""

import sys

from wxexp.cli import main

if __name__ == "__main__":
    sys.exit(main())
