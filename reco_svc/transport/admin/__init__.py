"""The admin plane of the recommender: pages for merchandisers and operators, on Django's admin."""
