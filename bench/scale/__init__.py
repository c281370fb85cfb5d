"""A million products: see `python -m bench.scale --help`."""
