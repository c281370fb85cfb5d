"""Rate limits: quotas, the generic cell rate algorithm in memory, and the same shared through Redis."""
