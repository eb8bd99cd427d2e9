"""`python -m loom.deploy.embedded`: the embedded engine's own process."""

import sys

from loom.deploy.embedded.service import main

sys.exit(main())
