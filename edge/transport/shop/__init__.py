"""The demo shop: static pages that use only the public API."""
