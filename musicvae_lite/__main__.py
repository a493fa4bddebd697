"""`python -m musicvae_lite`: the same as the command `musicvae`."""

import sys

from musicvae_lite.cli.main import main

sys.exit(main())
