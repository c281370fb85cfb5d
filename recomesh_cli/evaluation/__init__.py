"""What `recomesh evaluate` shows: tables, JSON, thresholds and the report page."""
