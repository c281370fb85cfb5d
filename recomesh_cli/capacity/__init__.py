"""How many machines a load takes, from constants that were measured."""
