"""How good are lists? Metrics beyond accuracy, bootstrap intervals, slices, and the textbook baselines to beat."""
