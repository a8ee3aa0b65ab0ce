"""What tables, objects and classes of a module get between two tapes, and what they hold all the time, on hand-made tapes."""

import sys
import threading
import weakref
from collections.abc import Callable

import numpy as np
import pytest

import npgrad as ng
from npgrad import _held_values

X = np.array([0.4, 1.2, -0.3])

# A module in which ``get()`` gives what makes a buffer, and what changes that between two tapes.
CHANGES: dict[str, tuple[str, str]] = {
    "name rebound": (
        "maker = default\ndef get(): return maker",
        "lib.maker = np.zeros",
    ),
    "name rebound to zeros by from-import": (
        "maker = default\ndef get(): return maker\ndef change():\n    global maker\n    from numpy import zeros as maker",
        "lib.change()",
    ),
    "dict rebound": (
        "T = {'m': default}\ndef get(): return T['m']",
        "lib.T = {'m': np.zeros}",
    ),
    "dict entry replaced": (
        "T = {'m': default}\ndef get(): return T['m']",
        "lib.T['m'] = np.zeros",
    ),
    "dict entry added": (
        "T = {'m': default}\ndef get(): return T.get('z', default)",
        "lib.T['z'] = np.zeros",
    ),
    "empty dict filled": (
        "T = {}\ndef get(): return T.get('z', default)",
        "lib.T['z'] = np.zeros",
    ),
    "list entry replaced": (
        "T = [default]\ndef get(): return T[0]",
        "lib.T[0] = np.zeros",
    ),
    "list appended": (
        "T = [default]\ndef get(): return T[-1]",
        "lib.T.append(np.zeros)",
    ),
    "list rebound": (
        "T = [default]\ndef get(): return T[0]",
        "lib.T = [np.zeros]",
    ),
    "tuple rebound": (
        "T = (default,)\ndef get(): return T[0]",
        "lib.T = (np.zeros,)",
    ),
    "None to dict": (
        "T = None\ndef get(): return T['m'] if T else default",
        "lib.T = {'m': np.zeros}",
    ),
    "None to object": (
        "class C: pass\nT = None\ndef get(): return T.m if T else default\ndef change():\n    global T\n    T = C(); T.m = np.zeros",
        "lib.change()",
    ),
    "object rebound": (
        "class C:\n    def __init__(s, m): s.m = m\nT = C(default)\ndef get(): return T.m",
        "lib.T = lib.C(np.zeros)",
    ),
    "object attr replaced": (
        "class C:\n    def __init__(s, m): s.m = m\nT = C(default)\ndef get(): return T.m",
        "lib.T.m = np.zeros",
    ),
    "object attr added": (
        "class C:\n    pass\nT = C()\ndef get(): return getattr(T, 'm', default)",
        "lib.T.m = np.zeros",
    ),
    "class attr set": (
        "class C:\n    m = staticmethod(default)\ndef get(): return C.m",
        "lib.C.m = staticmethod(np.zeros)",
    ),
    "class attr None set (lazy)": (
        "class C:\n    m = None\ndef get(): return C.m or default",
        "lib.C.m = np.zeros",
    ),
    "defaults changed": (
        "def f(n, m=default): return m(n)\ndef get(): return f",
        "lib.f.__defaults__ = (np.zeros,)",
    ),
    "closure rebound": (
        "def mk(m):\n    def f(n): return m(n)\n    return f\nf = mk(default)\ndef get(): return f",
        "lib.f = lib.mk(np.zeros)",
    ),
    "closure cell changed": (
        "def mk():\n    c = default\n    def f(n): return c(n)\n    def s(v):\n        nonlocal c\n        c = v\n    return f, s\nf, s = mk()\ndef get(): return f",
        "lib.s(np.zeros)",
    ),
    "nested dict replaced": (
        "T = {'a': [{'b': default}]}\ndef get(): return T['a'][0]['b']",
        "lib.T['a'][0]['b'] = np.zeros",
    ),
    "nested rebound": (
        "T = {'a': [{'b': default}]}\ndef get(): return T['a'][0]['b']",
        "lib.T = {'a': [{'b': np.zeros}]}",
    ),
    "nested empty filled": (
        "T = {'a': {}}\ndef get(): return T['a'].get('b', default)",
        "lib.T['a']['b'] = np.zeros",
    ),
    "simplenamespace attr": (
        "import types\nT = types.SimpleNamespace(m=default)\ndef get(): return T.m",
        "lib.T.m = np.zeros",
    ),
    "partial rebound": (
        "import functools\nT = functools.partial(default)\ndef get(): return T",
        "import functools; lib.T = functools.partial(np.zeros)",
    ),
    "deque entry": (
        "import collections\nT = collections.deque([default])\ndef get(): return T[0]",
        "lib.T[0] = np.zeros",
    ),
    "registry by decorator": (
        "T = {'own': default}\nT2 = {}\ndef register(n):\n    def d(f): T[n] = f; return f\n    return d\ndef get(): return T.get('z', default)",
        "lib.register('z')(np.zeros)",
    ),
    "registry swap np": (
        "T = {'m': np.ones}\ndef get(): return T['m']",
        "lib.T['m'] = np.zeros",
    ),
    "registry swap np rebound": (
        "T = {'m': np.ones}\ndef get(): return T['m']",
        "lib.T = {'m': np.zeros}",
    ),
    "name ones->zeros": (
        "maker = np.ones\ndef get(): return maker",
        "lib.maker = np.zeros",
    ),
    "attr ones->zeros": (
        "class C:\n    def __init__(s, m): s.m = m\nT = C(np.ones)\ndef get(): return T.m",
        "lib.T.m = np.zeros",
    ),
    "obj rebound ones->zeros": (
        "class C:\n    def __init__(s, m): s.m = m\nT = C(np.ones)\ndef get(): return T.m",
        "lib.T = lib.C(np.zeros)",
    ),
    "slots attr": (
        "class C:\n    __slots__ = ('m',)\nT = C(); T.m = default\ndef get(): return T.m",
        "lib.T.m = np.zeros",
    ),
    "dataclass field": (
        "import dataclasses\n@dataclasses.dataclass\nclass C:\n    m: object = default\nT = C()\ndef get(): return T.m",
        "lib.T = lib.C(np.zeros)",
    ),
    "module rebound": (
        "import types\nM = types.SimpleNamespace(zeros=default)\ndef get(): return M.zeros",
        "lib.M = np",
    ),
    "namedtuple": (
        "import collections\nN = collections.namedtuple('N', 'm')\nT = N(default)\ndef get(): return T.m",
        "lib.T = lib.N(np.zeros)",
    ),
    "bound default kw": (
        "def f(n, *, m=default): return m(n)\ndef get(): return f",
        "lib.f.__kwdefaults__['m'] = np.zeros",
    ),
    "subclass inst": (
        "class C(dict): pass\nT = C(m=default)\ndef get(): return T['m']",
        "lib.T['m'] = np.zeros",
    ),
}
# Modules that are as they were; each gives what makes a buffer.
HOLDERS: dict[str, str] = {
    "tuple": "T = (np.zeros, np.ones)\nget = lambda: T[0]",
    "tuple list": "T = (np.ones, [np.zeros])\nget = lambda: T[1][0]",
    "tuple dict": "T = (np.ones, {'m': np.zeros})\nget = lambda: T[1]['m']",
    "tuple plain list": "T = (1, [np.zeros])\nget = lambda: T[1][0]",
    "tuple tuple": "T = (np.ones, (np.zeros, 1))\nget = lambda: T[1][0]",
    "list tuple list": "T = [(np.ones, [np.zeros])]\nget = lambda: T[0][1][0]",
    "dict tuple": "T = {'a': (np.ones, np.zeros)}\nget = lambda: T['a'][1]",
    "dict tuple dict": "T = {'a': (np.ones, {'z': np.zeros})}\nget = lambda: T['a'][1]['z']",
    "tuple obj": "class C: pass\nc = C(); c.m = np.zeros\nT = (np.ones, c)\nget = lambda: T[1].m",
    "tuple obj only": "class C: pass\nT = (np.ones, C()); T[1].m = np.zeros\nget = lambda: T[1].m",
    "tuple func": "def mk(m):\n    return lambda n: m(n)\nT = (np.ones, mk(np.zeros))\nget = lambda: T[1]",
    "tuple func def": "def _t():\n    def f(n, m=np.zeros): return m(n)\n    return f\nT = (np.ones, _t())\nget = lambda: T[1]",
    "partial list": "import functools\nT = functools.partial(lambda a, b, n: b[0](n), np.ones, [np.zeros])\nget = lambda: T",
    "partial kw": "import functools\nT = functools.partial(lambda n, a, b: b[0](n), a=np.ones, b=[np.zeros])\nget = lambda: T",
    "namedtuple": "import collections\nN = collections.namedtuple('N', 'a b')\nT = N(np.ones, {'m': np.zeros})\nget = lambda: T.b['m']",
    "defaults": "def f(n, a=np.ones, b=[np.zeros]): return b[0](n)\nget = lambda: f",
    "defaults obj": "class C:\n    def __init__(s): s.m = np.zeros\ndef f(n, a=np.ones, b=C()): return b.m(n)\nget = lambda: f",
    "kwdefaults": "def f(n, *, a=np.ones, b=[np.zeros]): return b[0](n)\nget = lambda: f",
    "closure": "def mk(a, b):\n    def f(n): a; return b[0](n)\n    return f\nf = mk(np.ones, [np.zeros])\nget = lambda: f",
    "class": "class C:\n    a = np.ones; b = [np.zeros]; c = (np.ones, [np.zeros])\nget = lambda: C.b[0]",
    "class tuple": "class C:\n    c = (np.ones, [np.zeros])\nget = lambda: C.c[1][0]",
    "obj": "class C:\n    def __init__(s): s.a = np.ones; s.b = {'m': np.zeros}\nT = C()\nget = lambda: T.b['m']",
    "staticmethod": "class C:\n    m = staticmethod(np.zeros)\nget = lambda: C.m",
    "staticmethod fn": "class C:\n    @staticmethod\n    def m(n, a=np.ones, b=[np.zeros]): return b[0](n)\nget = lambda: C.m",
    "classmethod fn": "class C:\n    @classmethod\n    def m(c, n, a=np.ones, b=[np.zeros]): return b[0](n)\nget = lambda: C.m",
    "property": "class C:\n    @property\n    def m(s, a=np.ones, b=[np.zeros]): return b[0]\nget = lambda: C().m",
    "bound": "class C:\n    def __init__(s): s.b = [np.zeros]\n    def m(s, n): return s.b[0](n)\nT = (np.ones, C().m)\nget = lambda: T[1]",
    "boundonly": "class C:\n    def __init__(s): s.b = [np.zeros]\n    def m(s, n): return s.b[0](n)\nT = C().m\nget = lambda: T",
    "deque": "import collections\nT = collections.deque([np.ones, [np.zeros]])\nget = lambda: T[1][0]",
    "simplens": "import types\nT = types.SimpleNamespace(a=(np.ones, [np.zeros]))\nget = lambda: T.a[1][0]",
    "dataclass": "import dataclasses\n@dataclasses.dataclass\nclass C:\n    a: object = (np.ones, [np.zeros])\nT = C()\nget = lambda: T.a[1][0]",
    "frozen": "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass C:\n    a: object\n    b: object\nT = C(np.ones, [np.zeros])\nget = lambda: T.b[0]",
    "frozenset": "T = frozenset([np.zeros])\nget = lambda: next(iter(T))",
    "wraps": "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def g(*a): return f(*a)\n    return g\n@deco\ndef f(n, a=np.ones, b=[np.zeros]): return b[0](n)\nget = lambda: f",
    "lru": "import functools\n@functools.lru_cache(None)\ndef opts(a=np.ones, b=(np.zeros,)): return b\nget = lambda: opts()[0]",
    "generator rng": "T = (np.ones, [np.random.default_rng(0)])\ndef get():\n    return lambda n: T[1][0].standard_normal(n) * 1.0",
    "enum": "import enum\nclass E(enum.Enum):\n    A = (np.ones, [np.zeros])\nget = lambda: E.A.value[1][0]",
    "functable": "def a(n, m=np.zeros): return m(n)\ndef b(n, m=(np.ones, [np.zeros])): return m[1][0](n)\nT = {'a': a, 'b': b}\nget = lambda: T['b']",
    "self": "T = [np.ones, [np.zeros]]\nT.append(T)\nget = lambda: T[2][1][0]",
    "shared": "S = [np.zeros]\nT = (np.ones, S)\nget = lambda: T[1][0]",
    "shared2": "S = [np.zeros]\nA = (np.ones, S); B = (np.exp, S)\nget = lambda: B[1][0]",
    "slots": "class C:\n    __slots__ = ('a',)\nT = C(); T.a = (np.ones, [np.zeros])\nget = lambda: T.a[1][0]",
    "float types": "T = (np.float32, [np.zeros])\nget = lambda: T[1][0]",
}


def squared(get: Callable, x: np.ndarray) -> np.ndarray:
    buffer = get()(3)
    buffer[:] = x * 2
    return (buffer * buffer).sum()


def gradient(get: Callable) -> np.ndarray:
    with ng.GradientTape() as tape:
        x = tape.watch(X)
        y = squared(get, x)
    return tape.gradient(y, x)


def differences(get: Callable) -> np.ndarray:
    return np.array([(squared(get, X + step) - squared(get, X - step)) / 2e-6 for step in 1e-6 * np.eye(3)])


@pytest.mark.parametrize("case", CHANGES)
def test_what_comes_between_two_tapes_is_followed(users_module, case):
    program, change = CHANGES[case]
    library = users_module(f"import numpy as np\ndef default(n):\n    return np.zeros(n)\n{program}")
    np.testing.assert_allclose(gradient(library.get), differences(library.get), rtol=1e-6)
    exec(change, {"lib": library, "np": np})
    for _ in range(2):
        np.testing.assert_allclose(gradient(library.get), differences(library.get), rtol=1e-6)


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_is_held_is_followed_at_each_look(users_module, holder):
    """A name that comes or goes makes the tape look through the module again."""
    library = users_module(f"import numpy as np\n{HOLDERS[holder]}")
    for names in ({}, {}, {"first": 1}, {"second": np.cos}):
        vars(library).update(names)
        np.testing.assert_allclose(gradient(library.get), differences(library.get), rtol=1e-6)


def test_what_holds_data_is_not_kept_alive(users_module):
    library = users_module("class State:\n    pass\nstate = State()\nstate.work = State()\ntable = {'state': State()}")
    gradient(lambda: np.zeros)
    alive = [weakref.ref(one) for one in (library.state, library.state.work, library.table["state"])]
    library.state = library.table = None
    assert [one() for one in alive] == [None] * 3


def test_of_large_tables_of_data_a_part_is_looked_at():
    """A tape looks at them each time that it begins."""
    names = {"__name__": "a_program", "table": [[float(i * j) for i in range(60)] for j in range(60)]}
    assert sum(len(list(view)) for view in _held_values._all_views(names["table"], "a_program")) < 400


def test_a_module_that_other_threads_write_into(users_module):
    """What goes over a table while another thread adds to it goes over what was there at once."""
    library = users_module("import numpy as np\ntable = {'make': np.zeros}\ndata = {}")
    over = threading.Event()

    def write():
        number = 0
        while not over.is_set():
            number += 1
            for one in (library.table, library.data):
                one[f"entry {number % 60}"] = number
                one.pop(f"entry {(number + 30) % 60}", None)

    writers = [threading.Thread(target=write) for _ in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    for writer in writers:
        writer.start()
    try:
        for _ in range(200):
            np.testing.assert_allclose(gradient(lambda: library.table["make"]), differences(lambda: np.zeros), rtol=1e-6)
    finally:
        over.set()
        for writer in writers:
            writer.join()
        sys.setswitchinterval(interval)
