"""The use cases of the catalog, one module each."""
