"""Those who work on npgrad see its frames in tracebacks; tests/test_tracebacks.py has what users see."""

import os

os.environ.setdefault("NPGRAD_TRACEBACK", "full")
