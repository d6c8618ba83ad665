"""Draw the journey of the README's example into ``docs/assets/journey.svg``.

Run it by ``python -m scripts.readme_picture``; a test holds the file equal to what this would write.
"""

import contextlib
import io
import re
from pathlib import Path
from typing import Any, Final

from crmsdk.reports.journeys import draw_journey

__all__ = ["PICTURE", "main", "picture"]

ROOT: Final = Path(__file__).parent.parent
PICTURE: Final = ROOT / "docs" / "assets" / "journey.svg"
_BLOCK: Final = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def picture() -> str:
    """Run the first example of the README and draw its journey ``cart``."""
    found = _BLOCK.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found is not None, "the README has no example"
    names: dict[str, Any] = {"__name__": "readme"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(found[1], names)  # noqa: S102 - our own example
    return draw_journey(names["cart"], direction="right") + "\n"


def main() -> None:
    """Write the picture."""
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
