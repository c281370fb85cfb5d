"""python -m profile_svc."""

from meshkit.process import run
from profile_svc.app import serve
from profile_svc.settings import ProfileSettings

if __name__ == "__main__":
    run("profile", ProfileSettings, serve)
