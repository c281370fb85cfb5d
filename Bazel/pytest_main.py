"""Entry point of every Bazel test: pytest on the folders given, without a cache."""

import sys

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main(["-p", "no:cacheprovider", *sys.argv[1:]]))
