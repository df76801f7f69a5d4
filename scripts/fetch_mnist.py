"""Fetches MNIST where it is not at hand; without a network it says what that means for the tests."""

import sys

from core.errors import DatasetError
from core.mnist import download, missing

if __name__ == "__main__":
    try:
        if missing():
            download()
    except DatasetError as error:
        sys.exit(f"data: {error}\ndata: the tests that need MNIST will be skipped.")
