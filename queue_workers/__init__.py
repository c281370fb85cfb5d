"""Queue workers: everything that is not needed to answer the shopper now."""
