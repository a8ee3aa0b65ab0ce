"""What notebooks show: HTML of patterns and tables."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy import ndarray

# The sides of a picture: more squares than this would be smaller than a pixel or two, and slow to draw.
MAX_SQUARES = 96
_PIXELS = 240


def pattern_picture(title: str, rows: ndarray, columns: ndarray, shape: tuple[int, int]) -> str:
    """A title, and the elements as dark squares; in large matrices a square stands for a block."""
    side = max(*shape, 1)
    block = -(-side // MAX_SQUARES)
    high, wide = (-(-n // block) for n in shape)
    cells = np.unique(rows // block * max(wide, 1) + columns // block)
    squares = "".join(f"M{cell % wide} {cell // wide}h1v1h-1z" for cell in cells.tolist())
    scale = _PIXELS / max(high, wide, 1)
    note = f"; a square is a block of {block}x{block}" if block > 1 else ""
    return (
        f'<figure style="margin:0"><figcaption>{escape(title + note)}</figcaption>'
        f'<svg width="{max(scale * wide, 1):.0f}" height="{max(scale * high, 1):.0f}" viewBox="0 0 {wide} {high}" '
        f'preserveAspectRatio="none" style="border:1px solid #888" role="img">'
        f'<path d="{squares}" fill="#1f5fa8"/></svg></figure>'
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells of text; a row may end early, and its last cell then goes on to the right."""
    lines = [f"<tr>{''.join(f'<th>{escape(cell)}</th>' for cell in head)}</tr>"]
    for row in rows:
        *first, last = row
        width = len(head) - len(first)
        span = f' colspan="{width}" style="text-align:left"' if width > 1 else ""
        lines.append(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in first)}<td{span}>{escape(last)}</td></tr>")
    return f"<table>{''.join(lines)}</table>"


def paragraphs(lines: Sequence[str]) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in lines)
