"""SciPy's solvers and compiled functions. With plain data they work while a tape records as they do without; traced
data, and functions that return some, they refuse by name or follow."""

import functools
import importlib
import pickle
import types
import warnings
from typing import Any

import numpy as np
import pytest

import npgrad as ng
from npgrad._structure import flatten
from npgrad.finite_difference import jacobian as differences

pytest.importorskip("scipy", reason="scipy is not installed: its functions are not tested")
integrate, optimize, linalg, blas, lapack, ode_module, differentiate, sparse_linalg = map(
    importlib.import_module,
    ("scipy.integrate", "scipy.optimize", "scipy.linalg", "scipy.linalg.blas", "scipy.linalg.lapack", "scipy.integrate._ode",
     "scipy.differentiate", "scipy.sparse.linalg"),
)  # fmt: skip

POINT, START = np.array([0.3, 0.7, 0.45]), np.array([1.0, 2.0, 3.0])
GRADIENT_FREE = ("Nelder-Mead", "Powell", "COBYLA", "COBYQA")
WITH_HESSIAN = ("dogleg", "trust-ncg", "trust-krylov", "trust-exact", "trust-constr", "Newton-CG")


def minimize(method, x):
    jac = None if method in GRADIENT_FREE else lambda z: 2 * (z - x)
    hess = (lambda z: 2 * np.eye(3)) if method in WITH_HESSIAN else None
    return optimize.minimize(lambda z: ((z - x) ** 2).sum(), START, method=method, jac=jac, hess=hess).x


def constrained(make, x):
    return optimize.minimize(lambda z: z @ z, START, method="SLSQP", constraints=[make(lambda z: z - x)]).x


def by_ode(integrator, x):
    solver = integrate.ode(lambda t, y: -x * y).set_integrator(integrator).set_initial_value(START, 0.0)
    return solver.integrate(0.1)


def by_ode_with_parameters(integrator, x):
    solver = integrate.ode(lambda t, y, a: -a * y).set_integrator(integrator).set_initial_value(START, 0.0)
    return solver.set_f_params(x).integrate(0.1)


def complex_ode(integrator, x):
    solver = integrate.complex_ode(lambda t, y: -1j * x * y).set_integrator(integrator)
    return solver.set_initial_value(START + 0j, 0.0).integrate(0.1)


def root(method, x):
    return optimize.root(lambda z: z - x, START, method=method).x


def root_scalar(method, x):
    return optimize.root_scalar(lambda z: z * z - x[0], bracket=(0.0, 1.0), method=method).root


def boundary_values(x):
    return integrate.solve_bvp(
        lambda t, y: np.vstack((y[1], -x[0] * y[0])), lambda a, b: np.array([a[0], b[0] - x[1]]), np.linspace(0, 1, 5),
        np.ones((2, 5)),
    ).y  # fmt: skip


class Operator(sparse_linalg.LinearOperator):
    def __init__(self, matrix):
        self.matrix = matrix
        super().__init__(float, matrix.shape)

    def _matvec(self, v):
        return self.matrix @ v


OPERATORS = {
    "of a function": lambda m: sparse_linalg.LinearOperator(m.shape, lambda v: m @ v, dtype=float),
    "of a class": Operator,
    "sum": lambda m: Operator(m) + Operator(m),
}

partial = functools.partial
REFUSED: dict[str, Any] = {
    **{f"minimize {m}": (partial(minimize, m), "scipy.optimize.minimize") for m in (
        *GRADIENT_FREE, *WITH_HESSIAN, "CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP")},
    "constraint": (partial(constrained, lambda f: {"type": "ineq", "fun": f}), "scipy.optimize.minimize"),
    "constraint object": (
        partial(constrained, lambda f: optimize.NonlinearConstraint(f, 0, 9)), "scipy.optimize.minimize"),
    **{f"ode {m}": (partial(by_ode, m), "scipy.integrate.ode.integrate") for m in ("vode", "dopri5", "dop853", "lsoda")},
    **{f"ode {m}, f_params": (partial(by_ode_with_parameters, m), "scipy.integrate.ode.integrate") for m in (
        "vode", "dopri5", "dop853", "lsoda")},
    **{f"complex_ode {m}": (partial(complex_ode, m), "scipy.integrate.ode.integrate") for m in ("vode", "dopri5")},
    **{f"solve_ivp {m}": (
        lambda x, m=m: integrate.solve_ivp(lambda t, y: -x * y, (0, 0.1), START, method=m).y, "scipy.integrate.solve_ivp"
    ) for m in ("Radau", "LSODA")},
    "leastsq": (lambda x: optimize.leastsq(lambda z, a: z - a, START, args=(x,))[0], "scipy.optimize.leastsq"),
    "odeint": (lambda x: integrate.odeint(lambda y, t: -x * y, START, [0, 0.1]), "scipy.integrate.odeint"),
    "odeint start": (lambda x: integrate.odeint(lambda y, t: -y, x, [0, 0.1]), "scipy.integrate.odeint"),
    "newton_krylov": (lambda x: optimize.newton_krylov(lambda z: z - x, START), "scipy.optimize.newton_krylov"),
    **{f"least_squares {m}": (
        lambda x, m=m: optimize.least_squares(lambda z: z - x, START, method=m).x, "scipy.optimize.least_squares"
    ) for m in ("trf", "dogbox", "lm")},
    "curve_fit": (lambda x: optimize.curve_fit(lambda t, a: a * t * x, START, START)[0], "scipy.optimize.curve_fit"),
    "quad, weight": (lambda x: integrate.quad(lambda t: t * x[0], 0, 1, weight="cos", wvar=1)[0], "scipy.integrate.quad"),
    "quad_vec": (lambda x: integrate.quad_vec(lambda t: t * x, 0, 1)[0], "scipy.integrate.quad_vec"),
    "dblquad": (lambda x: integrate.dblquad(lambda t, s: t * x[0], 0, 1, 0, 1)[0], "scipy.integrate.dblquad"),
    "solve_bvp": (boundary_values, "scipy.integrate.solve_bvp"),
    "differential_evolution": (
        lambda x: optimize.differential_evolution(lambda z: ((z - x) ** 2).sum(), [(0, 1)] * 3, maxiter=3, rng=1).x,
        "scipy.optimize.differential_evolution"),
    "derivative": (lambda x: differentiate.derivative(lambda t: t * x[0], START).df, "scipy.differentiate.derivative"),
    **{f"eigsh {kind}": (
        lambda x, make=make: sparse_linalg.eigsh(make(np.diag(START) + x + x[:, None]), k=1, v0=START)[0],
        "scipy.sparse.linalg.eigsh") for kind, make in OPERATORS.items()},
    "ddot": (lambda x: blas.ddot(x, START), "the compiled ddot"),
    "dgesv": (lambda x: lapack.dgesv(np.diag(START), x)[2], "the compiled dgesv"),
    "get_blas_funcs": (lambda x: linalg.get_blas_funcs("nrm2", dtype=float)(x), "the compiled dnrm2"),
    "get_lapack_funcs": (
        lambda x: linalg.get_lapack_funcs(("potrf", "trtrs"), dtype=float)[1](np.diag(START), x), "the compiled dtrtrs"),
}  # fmt: skip
FOLLOWED = {
    **{f"root {m}": partial(root, m) for m in ("hybr", "lm", "broyden1", "df-sane", "anderson")},
    **{f"root_scalar {m}": partial(root_scalar, m) for m in ("brentq", "brenth", "bisect", "ridder", "toms748")},
    "newton": lambda x: optimize.newton(lambda z: z * z - x, START),
    "secant": lambda x: optimize.root_scalar(lambda z: z * z - x[0], x0=0.5, x1=0.6).root,
    "halley": lambda x: optimize.newton(lambda z: z**3 - x[0], 1.0, lambda z: 3 * z**2, fprime2=lambda z: 6 * z),
    "fixed_point": lambda x: optimize.fixed_point(lambda z: np.cos(z) * x, START),
    "approx_fprime": lambda x: optimize.approx_fprime(START, lambda z: z * x, 1e-3),
    "fixed_quad": lambda x: integrate.fixed_quad(lambda t: np.sin(t * x[0]), 0, x[1])[0],
    "cubature": lambda x: integrate.cubature(lambda t: np.exp(t * x[0]), [0.0], [1.0]).estimate,
}


def quietly(function, x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [np.asarray(getattr(leaf, "_bare", leaf)) for leaf in flatten(function(x))[0]]


@pytest.mark.parametrize("name", [*REFUSED, *FOLLOWED])
def test_plain_data_in_a_tape(name):
    function = REFUSED[name][0] if name in REFUSED else FOLLOWED[name]
    expected = quietly(function, POINT.copy())
    with ng.GradientTape() as tape:
        x = tape.watch(POINT)
        found = quietly(function, POINT.copy())
        y = x * x
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(tape.gradient(y, x), 2 * POINT)


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore")
def test_traced_data_is_refused_by_name(name):
    function, called = REFUSED[name]
    with ng.GradientTape() as tape, pytest.raises(ng.LeakError) as caught:
        function(tape.watch(POINT))
    text = str(caught.value)
    assert text.startswith(f"{__file__}:")
    assert f": {called} takes " in text or (name.endswith("toms748") and "a plain float" in text)


@pytest.mark.parametrize("name", FOLLOWED)
def test_python_code_is_followed(name):
    function = FOLLOWED[name]
    found, expected = ng.jacobian(function)(POINT), differences(function, method="3-point")(POINT)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


def test_names_that_a_module_bound_before():
    program = types.ModuleType("program_of_a_user")
    program.__file__ = __file__
    exec("from scipy.integrate import odeint\nfrom scipy.linalg.blas import ddot\n"
         "def run(x):\n    return odeint(lambda y, t: -x * y, [1., 2., 3.], [0, .1])\n"
         "def dot(x):\n    return ddot(x, x)", vars(program))  # fmt: skip
    for function in (program.run, program.dot):
        with pytest.raises(ng.LeakError, match=r"odeint|ddot"):
            ng.jacobian(function)(POINT)
    assert program.odeint is integrate.odeint and program.ddot is blas.ddot


def test_everything_is_put_back():
    modules = (optimize, integrate, differentiate, linalg, blas, lapack)
    before = [dict(vars(module)) for module in modules]
    kinds = (ode_module.vode, ode_module.dopri5, ode_module.lsoda, ode_module.complex_ode, sparse_linalg.LinearOperator)
    methods = [dict(vars(kind)) for kind in kinds]
    for _ in range(1500):  # Python gives up its caches for classes that change more often than a thousand times
        with pytest.raises(ZeroDivisionError), ng.GradientTape():
            assert type(optimize) is not types.ModuleType
            raise ZeroDivisionError
    assert all(type(module) is types.ModuleType for module in modules)
    assert [dict(vars(module)) for module in modules] == before
    assert [dict(vars(kind)) for kind in kinds] == methods
    with ng.GradientTape() as tape, pytest.raises(ng.LeakError):
        by_ode("dopri5", tape.watch(POINT))
    np.testing.assert_allclose(by_ode("dopri5", POINT), START * np.exp(-0.1 * POINT), rtol=1e-6)


def test_what_scipy_asks_of_a_function():
    """Its signature, its attributes, that it may be pickled."""
    with ng.GradientTape():
        assert optimize.curve_fit(lambda t, a, b: a * t + b, START, START)[0].shape == (2,)

        def crosses(t, y):
            return y[0] - 0.9

        crosses.terminal = True
        assert integrate.solve_ivp(lambda t, y: -y, (0, 9), [1.0], events=crosses).status == 1


def test_another_process_gets_the_function_itself():
    def maps(function, items):
        return list(map(pickle.loads(pickle.dumps(function)), items))

    with ng.GradientTape():
        found = optimize.differential_evolution(
            np.linalg.norm, [(0, 1)] * 2, workers=maps, updating="deferred", maxiter=3, rng=1
        )
    assert found.fun < 0.5


def test_leaks_may_be_let_pass():
    with ng.GradientTape(leaks="warn") as tape:
        x = tape.watch(POINT)
        with pytest.warns(ng.LeakWarning, match=r"scipy.integrate.odeint takes what a function returns") as warned:
            y = x * integrate.odeint(lambda y, t: -x * y, START, [0, 0.1])[-1]
    assert len(warned) == 1
    np.testing.assert_allclose(tape.gradient(y, x), START * np.exp(-0.1 * POINT), rtol=1e-6)


def test_an_exception_of_the_users_function_passes():
    def fails(y, t):
        raise KeyError("mine")

    with ng.GradientTape() as tape:
        tape.watch(POINT)
        with pytest.raises(KeyError, match="mine"):
            integrate.solve_ivp(lambda t, y: fails(y, t), (0, 1), START)
