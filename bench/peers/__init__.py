"""What shops would use instead: published algorithms, tuned on a validation cut, on the same questions as `auto`."""
