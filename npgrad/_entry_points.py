"""Where NumPy and Python hand calls to npgrad: all of it stands before anything is recorded.

Each of these modules fills in, when it is loaded, what the array class or the record does.
"""

from . import (
    _conversions as _conversions,
    _forking as _forking,
    _indexing as _indexing,
    _methods as _methods,
    _operators as _operators,
    _protocols as _protocols,
    _python_numbers as _python_numbers,
    _seen as _seen,
)
