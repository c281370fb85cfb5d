#!/bin/sh
# Resolves pyproject.toml into requirements/*.lock: exact versions, hashes, no index address. `make lock` calls it.
# Each larger lock is constrained by the smaller one, so that a test environment serves with the very same versions.
set -eu
cd "$(dirname "$0")/.."
unset PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL UV_INDEX_URL || true
uv="${VENV:-.venv}/bin/uv"
compile() {
    "$uv" pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
        --python-version 3.11 "$@"
}
compile pyproject.toml -o requirements/serve.lock
compile pyproject.toml --extra embed -c requirements/serve.lock -o requirements/run.lock
compile pyproject.toml --extra embed --extra dev -c requirements/run.lock -o requirements/dev.lock
compile pyproject.toml --extra embed --extra dev --extra bench -c requirements/dev.lock -o requirements/bench.lock
printf 'pyspark\npyarrow\n' | compile - -c requirements/dev.lock -o requirements/spark.lock
echo uv | compile - -c requirements/serve.lock -o requirements/bootstrap.lock
# Tools that stand beside the environment: what they depend on need not suit it.
echo atheris | compile - -o requirements/fuzz.lock
printf 'sqlmap\nwapiti3\n' | compile - -o requirements/pentest.lock
printf '%s\n' locust grpcio protobuf googleapis-common-protos |
    compile - -c requirements/dev.lock -o requirements/locust.lock
