"""How the use cases are reached: gRPC and the admin plane."""
