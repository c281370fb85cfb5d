"""The public edge: REST to gRPC, product cards, caches, fallback, and the demo shop."""
