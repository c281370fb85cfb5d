"""Technology of the recommender."""
