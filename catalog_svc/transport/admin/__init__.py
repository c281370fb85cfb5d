"""The admin plane (FastAPI): JSON API, import jobs, pages for people."""
