"""Running the processes of the mesh on one machine."""
