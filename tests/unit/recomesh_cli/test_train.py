import json

from recomesh.reco.v1 import reco_pb2


def run(state: int, **fields: object) -> reco_pb2.TrainingRun:
    return reco_pb2.TrainingRun(run_id="r1", state=state, **fields)


QUEUED = run(reco_pb2.TRAINING_STATE_QUEUED)
RUNNING = run(reco_pb2.TRAINING_STATE_RUNNING, stage="embed products", progress=0.5)
FACTS = {"embed_s": 1.5, "peak_rss_mb": 800.0}
GOOD = run(reco_pb2.TRAINING_STATE_SUCCEEDED, model_version="m7", message="activated", facts=FACTS)
BAD = run(reco_pb2.TRAINING_STATE_FAILED, message="quality fell from 0.3 to 0.1")


def test_a_training_is_followed_to_its_summary(recomesh, mesh):
    mesh.runs = [QUEUED, QUEUED, RUNNING, GOOD]
    answer = recomesh("train", "--note", "why not")
    assert answer.exit_code == 0
    for text in ("m7", "embed_s", "peak_rss_mb", "auto", "ndcg@10", "0.2500", "minilm"):
        assert text in answer.stdout
    assert mesh.asked[0].note == "why not"


def test_json_tells_the_same(recomesh, mesh):
    mesh.runs = [GOOD]
    told = json.loads(recomesh("train", "--force", "--json").stdout)
    assert told["state"] == "succeeded"
    assert told["quality"] == {"auto/ndcg@10": 0.25}
    assert mesh.asked[0].force


def test_a_failed_training_is_a_failure_with_its_reason(recomesh, mesh):
    mesh.runs = [QUEUED, BAD]
    answer = recomesh("train")
    assert answer.exit_code == 1
    assert "quality fell" in answer.stderr
