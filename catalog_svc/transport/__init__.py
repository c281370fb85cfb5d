"""How the catalog is asked: gRPC and the admin plane."""
