"""Write docs/api.md from the docstrings: ``python docs/generate_api.py``. The tests say when it is out of date."""

from __future__ import annotations

import enum
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import npgrad

PAGE = Path(__file__).with_name("api.md")
HEAD = """# API

Every public name. This page is made from the docstrings by `python docs/generate_api.py`; their examples run as tests.
"""
SECTION = re.compile(r"^(\w[\w ,]*)\n-{3,}$", re.MULTILINE)


def modules() -> Iterator[ModuleType]:
    """npgrad and the public modules in it, the main one first; rules are declarations, not names to call."""
    yield npgrad
    for found in pkgutil.iter_modules(npgrad.__path__):
        if not found.name.startswith("_") and found.name != "rules":
            yield importlib.import_module(f"npgrad.{found.name}")


def members(module: ModuleType) -> dict[str, Any]:
    """The classes and functions that a module is there for: its ``__all__``; or what npgrad imports, others define."""
    return {
        name: value
        for name, value in sorted([(name, getattr(module, name)) for name in dir(module)], key=lambda item: item[0].lower())
        if name in getattr(module, "__all__", [name])
        and not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and (module is npgrad or value.__module__ == module.__name__ or name in getattr(module, "__all__", ()))
    }


def methods(owner: type) -> dict[str, Any]:
    """The public methods of a class that npgrad defines, but for those that arrays have in NumPy."""
    parts = [part for part in owner.__mro__ if part.__module__.startswith("npgrad") and part is not npgrad.TracedArray]
    found = {name: value for part in reversed(parts) for name, value in vars(part).items()}
    return {
        name: value
        for name, value in sorted(found.items())
        if inspect.isfunction(value) and not name.startswith("_") and value.__doc__
    }


def text_of(doc: str) -> str:
    """A docstring as Markdown: sections in bold, what they list as bullets, examples as blocks."""
    head, *rest = SECTION.split(inspect.cleandoc(doc))
    parts = [prose(head)]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        parts.append(f"**{title}**\n\n{layout(title, body.strip())}")
    return "\n\n".join(parts)


def layout(title: str, body: str) -> str:
    if title == "Examples":
        return "\n\n".join(f"```pycon\n{part}\n```" if part.startswith(">>>") else part for part in body.split("\n\n"))
    if not re.search(r"^ ", body, re.MULTILINE):
        return prose(body)
    items = re.split(r"\n(?=\S)", body)
    return "\n".join(item_text(item) for item in items)


def item_text(item: str) -> str:
    name, _, description = item.partition("\n")
    words = " ".join(description.split())
    return f"- `{name}`" + (f": {prose(words)}" if words else "")


def prose(text: str) -> str:
    """Double backquotes, which docstrings have, are single ones here."""
    return text.strip().replace("``", "`")


def signature(name: str, value: Any) -> str:
    if value is npgrad.TracedArray or (inspect.isclass(value) and issubclass(value, (Exception, enum.Enum))):
        return name
    plain = inspect.signature(value)
    parameters = [p.replace(annotation=p.empty) for p in plain.parameters.values() if p.name != "self"]
    return name + str(plain.replace(parameters=parameters, return_annotation=plain.empty))


def entry(name: str, value: Any, level: str) -> str:
    return f"{level} `{signature(name, value)}`\n\n{text_of(value.__doc__ or '')}"


def page() -> str:
    parts = [HEAD.strip()]
    for module in modules():
        summary = prose((module.__doc__ or "").split("\n\n")[0])
        parts.append(f"## {module.__name__}\n\n{summary}")
        for name, value in members(module).items():
            parts.append(entry(name, value, "###"))
            if inspect.isclass(value):
                parts += [entry(f"{name}.{n}", method, "####") for n, method in methods(value).items()]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
