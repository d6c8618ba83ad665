"""Charts as inline SVG: stacked bars over time, ranked bars, heat map, funnel, lines with intervals.

Bars start at zero, axes have round ticks, every mark tells its figures in a tooltip, and no meaning hangs on
colour alone: the palette is colour-blind safe and each colour has its name in a legend.
"""

from crmsdk.reports._dated import Line, Series, add_by_week, draw_lines, draw_stacks
from crmsdk.reports._heat import draw_heat_map, draw_week_map
from crmsdk.reports._rows import Bar, Stage, draw_funnel, draw_ranking

__all__ = [
    "Bar",
    "Line",
    "Series",
    "Stage",
    "add_by_week",
    "draw_funnel",
    "draw_heat_map",
    "draw_lines",
    "draw_ranking",
    "draw_stacks",
    "draw_week_map",
]
