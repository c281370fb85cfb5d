"""What training makes of the interaction log: arrays for a snapshot. Pure functions; seeds and clocks are arguments."""
