"""The fault suite: parts of a real mesh are killed, frozen, slowed, cut off and made to talk nonsense under load."""
