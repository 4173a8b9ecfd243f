"""One page that needs nothing beside it: figures and plots inside, light or dark as its reader."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from attendance.evaluation.tables import Row

INK = "#0a0b0c"
"""Drawn in this colour, text and axes take the page's own."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1f2328; --faint: #59636e; --line: #d1d9e0;
  --paper: #fff; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #e6edf3; --faint: #9198a1;
  --line: #3d444d; --paper: #0d1117; }} }}
body {{ margin: 2rem auto; max-width: 68rem; padding: 0 1rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }}
h1 {{ font-size: 1.6rem; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-size: .92rem; }}
th, td {{ padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top; }}
td:nth-child(2) {{ font-variant-numeric: tabular-nums; font-weight: 600; white-space: nowrap; }}
td:nth-child(3) {{ color: var(--faint); }}
figure {{ margin: 2rem 0; overflow-x: auto; }}
figcaption {{ position: sticky; left: 0; }}
figure svg {{ width: 100%; min-width: 40rem; height: auto; color: var(--ink); }}
figcaption {{ color: var(--faint); }}
</style>
</head>
<body>
<h1>{title}</h1>
{plots}
<div class="scroll"><table>
<thead><tr><th>figure</th><th>value</th><th>of</th></tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
</body>
</html>
"""


def write_page(
    target: Path, title: str, rows: Sequence[Row], figures: Sequence[tuple[str, Figure]] = ()
) -> None:
    """Write a page that can be sent to somebody as one file.

    Args:
        target: of the page.
        title: its heading.
        rows: figure, value and what it is of.
        figures: plots with what they show, in words.
    """
    plots = "\n".join(
        f"<figure>{_svg(figure, number)}<figcaption>{html.escape(caption)}</figcaption></figure>"
        for number, (caption, figure) in enumerate(figures)
    )
    cells = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    page = PAGE.format(title=html.escape(title), plots=plots, rows=cells)
    target.write_text(page, encoding="utf-8")


def _svg(figure: Figure, number: int) -> str:
    """A plot as an element of a page, its names its own."""
    drawn = io.StringIO()
    without = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(drawn, format="svg", transparent=True, metadata=without)
    element = drawn.getvalue().partition("<svg")[2]
    element = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>p{number}-", element)
    return "<svg" + element.replace(INK, "currentColor")
