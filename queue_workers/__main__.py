"""`python -m queue_workers`: runs the queue workers."""

from meshkit.process import run
from queue_workers.app import serve
from queue_workers.settings import WorkerSettings

if __name__ == "__main__":
    run("workers", WorkerSettings, serve)
