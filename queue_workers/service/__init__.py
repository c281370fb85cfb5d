"""What the workers themselves do around the use cases of the services."""
