"""The ports of the domain, made with real technology; only `app.py` builds them."""
