"""``python -m crmsdk.demo``."""

import sys

from crmsdk.demo import main

if __name__ == "__main__":  # a process that works beside this one imports it, too
    sys.exit(main())
