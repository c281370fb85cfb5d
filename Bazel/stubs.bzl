"""Python stubs from the protos, built, not taken from gen/."""

def python_stubs(name, protos, visibility):
    """Generates messages and gRPC stubs below py/ and a library that imports them as `recomesh.…`."""
    outs = []
    for proto in protos:
        stem = "py/" + proto[:-len(".proto")]
        outs += [stem + "_pb2.py", stem + "_pb2_grpc.py"]
    native.genrule(
        name = name + "_py",
        srcs = protos,
        outs = outs,
        cmd = "python3 $(location //tools:generate_stubs.py) --proto $$(dirname $(location BUILD)) --out $(RULEDIR)/py",
        tools = ["//tools:generate_stubs.py", "BUILD"],
    )
    native.py_library(name = name, srcs = outs, imports = ["py"], visibility = visibility)
