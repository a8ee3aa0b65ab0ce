"""What a program has at module level is looked at without running code of its classes, which may raise, or do something."""

import collections
import functools
import textwrap
import threading
import types
from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad._bare_looks import filled_slots, is_a, names_of, table_of

X = np.array([2.0, 3.0])
# Each calls `heard`, which raises, when it is asked anything.
OBJECTS = {
    "says what it is not": """
        class Proxy:
            __slots__ = ("held",)
            @property
            def __class__(self):
                heard()
        made = Proxy()
        made.held = np.zeros
        """,
    "answers to any name": """
        class Lazy:
            __slots__ = ("held", "empty")
            def __getattr__(self, name):
                heard()
        made = Lazy()
        made.held = np.zeros
        """,
    "answers to any name, and is called": """
        class Lazy:
            def __getattr__(self, name):
                heard()
            def __call__(self):
                heard()
        made = Lazy()
        """,
    "hears each name": """
        class Guard:
            def __getattribute__(self, name):
                heard()
            def __setattr__(self, name, value):
                heard()
        made = Guard()
        object.__setattr__(made, "held", np.zeros)
        """,
    "hears what its class is given": """
        class Meta(type):
            def __setattr__(self, name, value):
                heard()
            def __hash__(self):
                heard()
            def __eq__(self, other):
                heard()
            def __instancecheck__(self, value):
                heard()
            def __getattr__(self, name):
                if name.startswith("__"):
                    raise AttributeError(name)
                heard()
        class made(metaclass=Meta):
            make = np.zeros
            kind = np.float32
        """,
    "of a class that cannot be hashed": """
        class Meta(type):
            def __eq__(self, other):
                heard()
        class Odd(metaclass=Meta):
            pass
        made = Odd()
        made.held = np.zeros
        """,
    "cannot be hashed": """
        class Unhashed:
            def __hash__(self):
                heard()
            def __eq__(self, other):
                heard()
            def __call__(self):
                heard()
            def __len__(self):
                heard()
            def __bool__(self):
                heard()
            def __iter__(self):
                heard()
        made = Unhashed()
        """,
    "a dict of its own": """
        class Names(dict):
            __len__ = __iter__ = __getitem__ = __setitem__ = items = values = keys = get = lambda *args: heard()
        made = Names(make=np.zeros)
        """,
    "a list of its own": """
        class Row(list):
            __len__ = __iter__ = __getitem__ = __setitem__ = __eq__ = lambda *args: heard()
            __hash__ = None
        made = Row([np.zeros, np.ones(2)])
        """,
    "a set of its own": """
        class Kinds(set):
            __len__ = __iter__ = __contains__ = lambda *args: heard()
        made = Kinds([np.zeros])
        """,
    "a default dict": """
        def factory():
            heard()
        made = collections.defaultdict(factory, make=np.zeros)
        """,
    "a property in place of its names": """
        class Hidden:
            __slots__ = ()
            @property
            def __dict__(self):
                heard()
            @property
            def __wrapped__(self):
                heard()
        made = Hidden()
        """,
}
HEARD = """
import collections
import numpy as np
held_one, asked = 1, []
def heard():
    asked.append(1)
    raise RuntimeError
"""
USES = {
    "a name": "def f(x):\n    return (x * x).sum() if held_one is not None else made",
    "in a table": "TABLE = {'one': [made, (made,)]}\nmade = None\ndef f(x):\n    return (x * x).sum() if TABLE else 0.0",
    "in an object": "class Box:\n    pass\nBOX = Box()\nBOX.made = made\nmade = None\n"
    "def f(x):\n    return (x * x).sum() if BOX else 0.0",
    "a default": "def f(x, one=made):\n    return (x * x).sum()\nmade = None",
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", OBJECTS)
def test_nothing_is_asked(kind: str, use: str, users_module: Any) -> None:
    module = users_module(f"{HEARD}{textwrap.dedent(OBJECTS[kind])}\n{USES[use]}")
    before = module.asked.copy()
    for _ in range(2):
        with ng.GradientTape() as tape:
            x = tape.watch(X)
            y = module.f(x)
        assert tape.gradient(y, x).tolist() == [4.0, 6.0]
        assert ng.grad(module.f)(X).tolist() == [4.0, 6.0]
    assert module.asked == before


class Slotted:
    __slots__ = ("__private", "empty", "full")

    def __init__(self) -> None:
        self.full = 3


class Derived(Slotted):
    __slots__ = ("other", "__dict__")


def test_what_an_object_has() -> None:
    made = Derived()
    made.other, made.free = 5, 7
    assert filled_slots(made) == [("other", 5), ("full", 3)]
    assert names_of(made) == {"free": 7} and names_of(Slotted()) == {} and names_of(3.0) == {}
    assert names_of(types.SimpleNamespace(a=1)) == {"a": 1}
    of_thread = type("OfThread", (threading.local,), {})()
    of_thread.a = 1
    assert names_of(of_thread) == {"a": 1}
    assert names_of(functools.lru_cache(len))["__wrapped__"] is len
    assert is_a(made, Slotted) and not is_a(made, (int, str))


def test_tables() -> None:
    for value, items in [
        ({"a": 1}, [("a", 1)]),
        (collections.OrderedDict(b=2, a=1), [("b", 2), ("a", 1)]),
        ([4, 5], [(0, 4), (1, 5)]),
        (collections.deque([6]), [(0, 6)]),
    ]:
        table = table_of(value)
        assert table is not None
        assert (table.items(), table.size()) == (items, len(value)) and list(table.values()) == [item for _, item in items]
        key = items[0][0]
        table.put(key, 9)
        assert table.get(key) == value[key] == 9
    assert table_of((1, 2)) is None
