"""The services of the mesh behind the edge's ports, over gRPC; caches in memory."""
