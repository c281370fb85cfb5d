"""Redis as every process of the mesh uses it: a 50 ms budget, no retries, a bypass while it is away."""
