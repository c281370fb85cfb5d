"""python -m recomesh_cli."""

from recomesh_cli.main import main

if __name__ == "__main__":
    main()
