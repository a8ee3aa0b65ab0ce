"""Which cases of tests with many cases run where one in so many is asked for: ``pytest --one-in 4``.

With other versions of Python and NumPy the product of all functions with all that is tried of each says little that is new.
What is left out of one test of a file is in another one: tests that go through the same table begin at different cases.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

# Tests with fewer cases are run whole.
MANY = 12


def thinned(ids: Iterable[str], one_in: int) -> list[bool]:
    """For each test by its id, ``file::name[case]``, whether it runs."""
    names = [id.partition("[")[0] for id in ids]
    sizes, met = Counter(names), Counter[str]()
    # Where the tests of a file begin: the first at its first case, the second at its second, and so on.
    begins: dict[str, dict[str, int]] = defaultdict(dict)
    chosen = []
    for name in names:
        in_file = begins[name.partition("::")[0]]
        begin = in_file.setdefault(name, len(in_file))
        chosen.append(sizes[name] < MANY or (met[name] + begin) % one_in == 0)
        met[name] += 1
    return chosen
