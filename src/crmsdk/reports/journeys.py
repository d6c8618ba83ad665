"""Draw a journey: its triggers, steps, ends and rules, with how many people went where."""

from collections.abc import Mapping
from typing import Literal

from crmsdk.journeys.definition import Journey
from crmsdk.journeys.drawing import Counts, graph_of
from crmsdk.reports.graph import Link, Step, draw_graph
from crmsdk.reports.labels import ENGLISH
from crmsdk.reports.svg import Svg

__all__ = ["draw_journey"]


def draw_journey(
    journey: Journey,
    counts: Counts | None = None,
    *,
    prefix: str = "journey",
    title: str | None = None,
    direction: Literal["down", "right"] = "down",
    labels: Mapping[str, str] = ENGLISH,
) -> Svg:
    """Draw a journey.

    Args:
        journey: What to draw.
        counts: People at boxes and on ways, as ``crmsdk.journeys.counting.count_ways`` gives them.
        prefix: Id of the picture, unique in its page.
        title: What stands above; the journey's name if left out.
        direction: Where the ways run.
        labels: Words in the reader's language.

    Returns:
        The picture; ``data-step`` of a box is its id in ``graph_of``.

    Raises:
        DefinitionError: two steps have one key, or the prefix is no plain name.
    """
    drawing = graph_of(journey, counts)
    return draw_graph(
        [
            Step(step.id, step.kind, step.title, detail=step.detail, count=step.count)
            for step in drawing.steps
        ],
        [
            Link(edge.source, edge.target, label=edge.label, count=edge.count, order=edge.order)
            for edge in drawing.edges
        ],
        prefix=prefix,
        title=journey.name if title is None else title,
        direction=direction,
        labels=labels,
    )
