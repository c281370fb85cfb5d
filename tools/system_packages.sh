#!/bin/sh
# The Debian packages that tests use. As root they are installed; otherwise this says what is missing and how to get it.
set -eu
missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need chromium chromium
need npm npm
need java default-jre-headless
need promtool prometheus
need redis-server redis-server
[ -x /usr/local/go/bin/go ] || need go golang-go
need rabbitmqctl rabbitmq-server
[ -n "$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null)" ] || command -v postgres >/dev/null 2>&1 || missing="$missing postgresql"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    # shellcheck disable=SC2086
    apt-get install -qq -y --no-install-recommends $missing >/dev/null
else
    echo "missing system packages:$missing (Debian: sudo apt-get install$missing); tests that need them are skipped" >&2
fi
