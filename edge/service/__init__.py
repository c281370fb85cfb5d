"""One module per use case of the edge. Plain asyncio; everything outside comes in through ports."""
