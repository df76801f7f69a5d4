"""`python -m core`."""

import io
import os
import sys

from core.cli import main

for stream in (sys.stdout, sys.stderr):
    if isinstance(stream, io.TextIOWrapper):  # a file's name need not be UTF-8, nor the terminal
        stream.reconfigure(errors="backslashreplace")
status = 0
try:
    status = main()
    sys.stdout.flush()
except BrokenPipeError:  # nobody reads the rest: let the interpreter's last flush go nowhere
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
except KeyboardInterrupt:
    status = 130
sys.exit(status)
