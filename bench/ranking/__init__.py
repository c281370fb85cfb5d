"""Measuring the ranking itself: made-up shops, session search at scale, fields of content."""
