#!/bin/sh
# `bazel test //...` with the Python of the development environment.
#
# Where Debian's bazel-bootstrap is installed, the four repositories that Bazel 4 wants from the network are overridden
# with local ones: rules_java and rules_proto from Debian, rules_cc and remote_coverage_tools as stubs made here.
# Elsewhere `PATH=.venv/bin:$PATH bazel test //...` is all it takes.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
export PATH="${VENV:-$root/.venv}/bin:$PATH"
if ! command -v bazel-4 >/dev/null 2>&1 && ! command -v bazel >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq >/dev/null
        apt-get install -qq -y --no-install-recommends bazel-bootstrap bazel-rules-java bazel-rules-proto >/dev/null
    else
        echo "bazel is not installed (Debian: sudo apt-get install bazel-bootstrap)" >&2
        exit 1
    fi
fi
set --
if [ -d /usr/share/bazel/rules/java ]; then
    stubs="$root/out/bazel"
    mkdir -p "$stubs/rules_cc/cc" "$stubs/remote_coverage_tools"
    echo 'workspace(name = "rules_cc")' >"$stubs/rules_cc/WORKSPACE"
    : >"$stubs/rules_cc/BUILD"
    : >"$stubs/rules_cc/cc/BUILD"
    cat >"$stubs/rules_cc/cc/defs.bzl" <<'BZL'
"""Native C++ rules under the names of rules_cc."""

cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_proto_library = native.cc_proto_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
BZL
    echo 'workspace(name = "remote_coverage_tools")' >"$stubs/remote_coverage_tools/WORKSPACE"
    echo 'filegroup(name = "coverage_report_generator", visibility = ["//visibility:public"])' >"$stubs/remote_coverage_tools/BUILD"
    set -- "--override_repository=rules_cc=$stubs/rules_cc" \
        "--override_repository=rules_java=/usr/share/bazel/rules/java" \
        "--override_repository=rules_proto=/usr/share/bazel/rules/proto" \
        "--override_repository=remote_coverage_tools=$stubs/remote_coverage_tools"
fi
status=0
"$(command -v bazel-4 || command -v bazel)" --batch test "$@" --jobs=2 --local_test_jobs=2 //... || status=$?
exit "$status"
