"""What a preference, a segment and an erasure are, and what the service needs from outside."""
