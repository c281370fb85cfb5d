"""REST with FastAPI, the internal plane, and the demo shop."""
