"""Random NumPy programs over the whole registry, and an oracle that knows nothing of npgrad's rules.

`generator` makes programs as text, `oracle` runs them plain and traced and compares, `shrink` makes a failure small, `run` is
the command line: ``python tests/fuzz/run.py --programs 100000 --seed 0``. `failures.txt` keeps every program that ever failed.
"""
