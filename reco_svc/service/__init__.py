"""Use cases of the recommender, one module each."""
