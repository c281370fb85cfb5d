"""Who may do what: callers, roles and scopes, the access table, keys, tokens, certificates, audit."""
