"""What the shop sells: products, categories, word search and the change feed."""
