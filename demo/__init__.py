"""A synthetic demo shop, made by code from a seed: products, visitors and what they did are invented."""
