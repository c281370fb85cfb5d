"""Products and what may be true of them. Plain Python: no framework, no protobuf, no SQL."""
