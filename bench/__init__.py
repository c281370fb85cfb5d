"""Load and speed measurements on loopback; `python -m bench --help`. Never part of the tests."""
