"""`python -m edge`: runs the public edge."""

from edge.app import serve
from edge.settings import EdgeSettings
from meshkit.garbage import WhereItIs
from meshkit.process import run

if __name__ == "__main__":
    run("edge", EdgeSettings, serve, collecting=WhereItIs())
