"""Write docs/imports.svg, the layers of npgrad and what they import: ``python docs/make_imports_picture.py``.

The layers are those that tests/test_architecture.py holds every import to; the imports are read from the files. The tests
say when the picture is out of date.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
import textwrap
from html import escape
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
PICTURE = HERE / "imports.svg"

LINE, GAP, TOP = 17, 12, 40  # heights in pixels: of a line of text, between bands, above the first one
NAMES, WORDS, COLUMN = 192, 400, 18  # widths: of the names of layers, of their modules, of one column of imports
LETTERS = 68  # that fit into a line of modules


def architecture() -> ModuleType:
    """tests/test_architecture.py: it knows the layers, and how to read imports."""
    name = "test_architecture"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE.parent / "tests" / f"{name}.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def imports_between(layers: dict[str, list[str]]) -> set[tuple[str, str]]:
    """Which layer imports modules of which other one: (importing, imported)."""
    rules = architecture()
    layer_of = {module: layer for layer, modules in layers.items() for module in modules}
    pairs = {
        (layer_of[module.split(".")[0]], layer_of[found.split(".")[0]])
        for module, path in rules.MODULES.items()
        for found in rules.imported(module, ast.parse(path.read_text()))
    }
    return {(one, other) for one, other in pairs if one != other}


def picture() -> str:
    layers = architecture().LAYERS
    pairs = imports_between(layers)
    order = list(reversed(layers))  # the highest one on top
    lines = {layer: textwrap.wrap("  ".join(layers[layer]), LETTERS, break_long_words=False) for layer in order}
    tops, y = {}, TOP
    for layer in order:
        tops[layer] = y
        y += LINE * len(lines[layer]) + GAP
    middle = {layer: tops[layer] + LINE * len(lines[layer]) / 2 for layer in order}
    left = NAMES + WORDS
    column = {layer: left + COLUMN * (number + 0.8) for number, layer in enumerate(order)}
    width, height = left + COLUMN * (len(order) + 1), y

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        "<title>The layers of npgrad, and what they import</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        '<text x="10" y="22" font-weight="bold">layer</text>',
        f'<text x="{NAMES}" y="22" font-weight="bold">modules</text>',
        f'<text x="{left + 8}" y="22" font-weight="bold">● imports from the layer at ■</text>',
    ]
    for layer in order:
        high = LINE * len(lines[layer]) + GAP - 4
        parts += [
            f'<rect x="4" y="{tops[layer] - 4}" width="{width - 8}" height="{high}" rx="4" fill="#eef2f5"/>',
            f'<text x="10" y="{middle[layer] + 2:g}" font-weight="bold">{escape(layer)}</text>',
        ]
        for number, line in enumerate(lines[layer]):
            parts.append(f'<text x="{NAMES}" y="{tops[layer] + LINE * number + 11}" font-size="11.5">{escape(line)}</text>')
    for layer in order:
        x, users = column[layer], [other for other in order if (other, layer) in pairs]
        if users:
            line = f"M{x:g} {middle[users[0]] - 2:g}V{middle[layer] - 2:g}"
            parts.append(f'<path d="{line}" stroke="#7a8b99" stroke-width="1.2"/>')
        for user in users:
            parts.append(
                f'<circle cx="{x:g}" cy="{middle[user] - 2:g}" r="4.5" fill="#1f77b4">'
                f"<title>{escape(user)} imports {escape(layer)}</title></circle>"
            )
        parts.append(f'<rect x="{x - 5:g}" y="{middle[layer] - 7:g}" width="10" height="10" fill="#37474f"/>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(picture())
