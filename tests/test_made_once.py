"""What is made once is one object for all threads, also if they ask at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor

from npgrad._made_once import made_once


def test_it_is_made_for_each_tuple_of_arguments():
    calls = []

    @made_once
    def pair(a, b=0):
        calls.append((a, b))
        return [a, b]

    assert pair(1, 2) is pair(1, 2) and pair(2, 1) is not pair(1, 2)
    assert calls == [(1, 2), (2, 1)]
    assert pair.__name__ == "pair"


def test_threads_that_ask_together_get_the_same():
    together = threading.Barrier(4)

    @made_once
    def made(name):
        together.wait(30)  # all of them are making it
        return object()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(made, ["a"] * 4))
    assert len(set(map(id, found))) == 1 and made("a") is found[0]
