"""Services that jobs call over gRPC."""
