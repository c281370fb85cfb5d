"""Preferences, segments and erasure of anonymous visitors: gRPC service and Flask admin plane."""
