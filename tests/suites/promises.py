"""What a suite promises."""


def promises_of(suite: type) -> set[str]:
    """Name the tests of a suite."""
    return {name for name in dir(suite) if name.startswith("test_")}
