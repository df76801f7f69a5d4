"""`python -m core`."""

import os
import sys

from core.cli import main

try:
    status = main()
    sys.stdout.flush()
except BrokenPipeError:  # the reader (`| head`) has had enough
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    status = 0
except KeyboardInterrupt:
    status = 130
sys.exit(status)
