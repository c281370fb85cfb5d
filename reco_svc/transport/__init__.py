"""How the recommender is reached: gRPC servicers and the admin plane."""
