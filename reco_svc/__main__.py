"""`python -m reco_svc`: runs the recommender."""

from meshkit.process import run
from reco_svc.app import serve
from reco_svc.settings import RecoSettings

if __name__ == "__main__":
    run("reco", RecoSettings, serve)
