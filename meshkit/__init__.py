"""What every process of the mesh shares: settings, logs, errors, RPC, web planes, queue, cache, filters.

Imports no service.
"""
