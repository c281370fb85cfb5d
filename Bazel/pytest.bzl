"""pytest under Bazel: one target for each folder of unit tests."""

def pytest_folder(name, folder, deps, size = "medium"):
    """Runs the tests below `folder` (relative to this package)."""
    native.py_test(
        name = name,
        srcs = ["//Bazel:pytest_main.py"],
        main = "//Bazel:pytest_main.py",
        args = [native.package_name() + "/" + folder],
        data = native.glob([folder + "/**", "support/**", "conftest.py"]) + ["//:pyproject.toml"],
        deps = deps,
        size = size,
    )
