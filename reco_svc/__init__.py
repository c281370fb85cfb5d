"""The recommender: ranks products, takes events, trains and activates snapshots."""
