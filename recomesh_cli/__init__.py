"""The `recomesh` command: run the mesh, feed it, ask it, look after it."""
