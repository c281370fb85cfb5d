"""The rooms of a service as Bazel libraries, with visibilities that mirror the import rules.

    transport -> service -> domain, adapters -> domain, app -> everything

`domain` is seen by its own service; `service` by its own transport and app, and by the queue workers; `adapters` and
`transport` by `app` alone. Tests see every room.
"""

_TESTS = ["//tests:__subpackages__"]
_DATA = ["**/*.html", "**/*.css", "**/*.js", "**/*.svg", "**/*.lark", "**/*.ini", "**/*.mako", "**/*.txt", "**/*.json"]

def library(name, deps = [], visibility = ["//visibility:public"], exclude = []):
    """A folder of Python files with its templates and static files."""
    native.py_library(
        name = name,
        srcs = native.glob(["**/*.py"], exclude = exclude),
        data = native.glob(_DATA, exclude = exclude, allow_empty = True),
        deps = deps,
        visibility = visibility,
    )

def domain(service):
    """Plain rules of a service."""
    library("domain", deps = ["//meshkit"], visibility = ["//%s:__subpackages__" % service, "//queue_workers:__subpackages__"] + _TESTS)

def service(service):
    """Use cases of a service."""
    library(
        "service",
        deps = ["//%s/domain" % service],
        visibility = ["//%s:__pkg__" % service, "//%s/transport:__subpackages__" % service, "//queue_workers:__subpackages__"] + _TESTS,
    )

def adapters(service, deps = []):
    """Technology of a service; knows the domain only."""
    library(
        "adapters",
        deps = ["//%s/domain" % service, "//proto:stubs"] + deps,
        visibility = ["//%s:__pkg__" % service, "//queue_workers:__pkg__"] + _TESTS,
    )

def transport(service, deps = []):
    """How a service is reached."""
    library(
        "transport",
        deps = ["//%s/service" % service, "//proto:stubs"] + deps,
        visibility = ["//%s:__pkg__" % service] + _TESTS,
    )

def app(name, deps = []):
    """The composition root: the only target that depends on adapters."""
    native.py_library(
        name = name,
        srcs = native.glob(["*.py"]),
        deps = ["//%s/%s" % (name, room) for room in ["domain", "service", "adapters", "transport"]] + deps,
        visibility = ["//tests:__subpackages__", "//recomesh_cli:__pkg__", "//queue_workers:__pkg__", "//bench:__pkg__"],
    )
