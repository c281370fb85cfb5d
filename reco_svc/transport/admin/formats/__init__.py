"""How the admin plane writes dates and times, by language (FORMAT_MODULE_PATH)."""
