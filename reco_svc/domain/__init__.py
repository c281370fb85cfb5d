"""What a recommendation is. Plain Python and NumPy; knows no framework, no protobuf, no SQL."""
