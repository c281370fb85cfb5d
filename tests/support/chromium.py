"""The browser of the tests: Debian's chromium, headless, silent on the network."""

import os
import shutil

import pytest

SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Path of chromium. Skips the test without one, unless TESTS_REQUIRE_SERVERS forbids it."""
    path = shutil.which("chromium")
    if path is None:
        assert not os.environ.get("TESTS_REQUIRE_SERVERS"), "needs chromium on the path"
        pytest.skip("needs chromium on the path")
    return path
