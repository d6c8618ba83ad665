"""``python -m crmsdk.demo``."""

import sys

from crmsdk.demo import main

sys.exit(main())
