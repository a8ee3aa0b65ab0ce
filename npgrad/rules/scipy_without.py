"""``scipy.special``: ufuncs that need no derivative, and those that have none: which, and why."""

from __future__ import annotations

from .._libraries import Library

special = Library("scipy.special")

special.zero("gammasgn", "round")
special.unsupported("Riemann's zeta function has no derivative in closed form", "zetac", "_ufuncs._riemann_zeta")
special.unsupported(
    "the sums of a distribution's series that SciPy takes have no derivative by SciPy's functions",
    "kolmogorov", "kolmogi", "smirnov", "smirnovi",
)  # fmt: skip
special.unsupported(
    "a distribution inverted for a parameter of it, by which it has no derivative in closed form",
    "bdtrik", "bdtrin", "btdtria", "btdtrib", "chdtriv", "chndtridf", "chndtrinc", "fdtridfd", "gdtrib", "nbdtrik",
    "nbdtrin", "ncfdtridfd", "ncfdtridfn", "ncfdtrinc", "nctdtridf", "nctdtrinc", "pdtrik", "stdtridf",
)  # fmt: skip
special.unsupported(
    "the density of a noncentral distribution is not in scipy.special", "ncfdtr", "ncfdtri", "nctdtr", "nctdtrit",
)  # fmt: skip
special.unsupported("a characteristic value has no derivative in closed form", "mathieu_a", "mathieu_b", "obl_cv", "pro_cv")
special.unsupported(
    "five arguments; the functions without _cv are followed",
    "obl_ang1_cv", "obl_rad1_cv", "obl_rad2_cv", "pro_ang1_cv", "pro_rad1_cv", "pro_rad2_cv",
)  # fmt: skip
special.unsupported("SciPy's values do not agree with SciPy's derivatives of them", "obl_rad2", "pro_rad2")
special.unsupported(
    "the derivatives of this symmetric integral are quotients that are undefined where two arguments are equal",
    "elliprd", "elliprg", "elliprj",
)  # fmt: skip
