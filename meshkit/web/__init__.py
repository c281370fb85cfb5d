"""HTTP, the one way: problems, request context, planes that run inside a process."""
