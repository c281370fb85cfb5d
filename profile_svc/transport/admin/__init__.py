"""The Flask admin plane: browse and edit preferences, define segments, erase visitors."""
