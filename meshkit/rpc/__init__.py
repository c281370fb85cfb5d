"""gRPC, the one way: servers, channels, calls, statuses."""
