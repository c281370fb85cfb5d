"""How work arrives: consumers of the queue, the jobs they run, and the internal port."""
