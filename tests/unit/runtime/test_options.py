import inspect
from typing import get_type_hints

from crmsdk.runtime.opening import parts_of
from crmsdk.runtime.options import Options


def test_the_typed_options_are_those_that_opening_takes() -> None:
    taken = inspect.signature(parts_of).parameters.keys() - {"url"}
    assert set(get_type_hints(Options)) == taken
    assert Options.__required_keys__ == {"zone"}


def test_option_and_argument_have_one_type() -> None:
    hints = get_type_hints(parts_of)
    for name, hint in get_type_hints(Options).items():
        assert hint == hints[name], name
