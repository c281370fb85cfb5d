"""The durable queue between the services and the queue workers."""
