"""Random programs over the whole registry, a few hundred of them; every program that ever failed; and the oracle itself.

``python tests/fuzz/run.py --programs 100000 --seed 0`` runs as many as you like.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from fuzz import jax_oracle, program as programs
from fuzz.generator import generate
from fuzz.oracle import check
from fuzz.program import parse
from fuzz.run import run
from fuzz.shrink import shrink

import npgrad as ng
from npgrad import _elementwise, _plain_values, _plans
from npgrad.rules import factorizations

FUZZ = Path(__file__).parent / "fuzz"
KEPT = (FUZZ / "failures.txt").read_text().split("# --- ")[1:]
OPEN = (FUZZ / "open_failures.txt").read_text().split("# --- ")[1:]


# Sizes from which another way is taken, which the small arrays of these programs do not have: each way is tried on all.
LIMITS = {
    "constants are copied once": [(_plain_values, "COPY_LIMIT", -1), (_elementwise, "COPY_LIMIT", -1)],
    "constants have fingerprints": [
        (_plain_values, "COPY_LIMIT", -1), (_elementwise, "COPY_LIMIT", -1), (_plain_values, "SHARED_COPY_LIMIT", -1),
    ],
    "outer products are collected": [(_plans, "COLLECTED_FROM", 0), (factorizations, "_LARGE", 1)],
}  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize(("seed", "limits"), [(0, None), (1, None), *enumerate(LIMITS, 2)])
def test_random_programs(seed: int, limits: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in LIMITS.get(limits or "", []):
        monkeypatch.setattr(module, name, value)
    counts = run(20_000 + seed, 0, 60, lambda number: None)
    assert counts.failures == [], "\n".join(text for *_, text in counts.failures)
    assert counts.kinds["skipped"] <= 6
    assert counts.kinds["right"] >= 40


@pytest.mark.once
@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.partition("\n")[0])
def test_programs_that_failed(kept: str) -> None:
    head, _, text = kept.partition("\n")
    program = parse(text)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            programs.Runner(program)(*programs.values(program.points).values())
    except Exception as error:
        pytest.skip(f"this version of NumPy does not run it: {error}")
    outcome = check(program, int(head.partition(":")[0]), second=True)
    assert outcome.kind != "wrong", outcome


@pytest.mark.once
@pytest.mark.xfail(reason="known, each with its cause in the file", strict=True)
@pytest.mark.parametrize("kept", OPEN, ids=lambda kept: kept.partition(":")[0])
def test_programs_that_still_fail(kept: str) -> None:
    head, _, text = kept.partition("\n")
    assert check(parse(text), int(head.partition(":")[0]), second=True).kind != "wrong"


# --- The oracle finds what is wrong, and proves what it skips -----------------------------------------------------------

HEAD = "x0 = np.array([0.3, 0.9, 1.4])\n\n\ndef program(x0):\n    "


def outcome_of(statements: str) -> tuple[str, str]:
    outcome = check(parse(HEAD + statements), 1, second=True)
    return outcome.kind, outcome.reason


def _plainly(x: np.ndarray) -> np.ndarray:
    return np.array(ng.stop_gradient(x))


PLANTED = {
    "stopped": lambda x: x * ng.stop_gradient(x),
    "rounded": lambda x: x * (1 + 3e-16 * isinstance(x, ng.TracedArray)),
    "single": lambda x: x.astype(np.float32) if isinstance(x, ng.TracedArray) else x,
    "turned": lambda x: np.array(x[:, None] * x, order="F" if isinstance(x, ng.TracedArray) else "C"),
    "failing": lambda x: [1][isinstance(x, ng.TracedArray)],
}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("stopped", "forward and differences"),
        ("rounded", "bits"),
        ("single", "dtype"),
        ("turned", "order of strides"),
        ("failing", "raised IndexError"),
    ],
)
def test_planted_fault_is_found(name: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(programs.MODULES, name, PLANTED[name])
    assert outcome_of(f"a1 = {name}(np.sin(x0))\n    return (a1,)") == ("wrong", reason)


def test_sides_that_disagree_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reverse map that is not the transpose of the forward map."""
    from npgrad._registry import RULES

    selection = RULES[np.sin].real[1]
    monkeypatch.setattr(selection, "vjp_x", lambda ct, x, y, z, ans: ct * np.sin(x))
    monkeypatch.setattr(selection, "vjps", (selection.vjp_x,))
    assert outcome_of("a1 = np.sin(x0)\n    return (a1,)") == ("wrong", "the adjoint identity")


def test_second_derivative_that_is_lost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from npgrad._registry import RULES

    selection = RULES[np.square].real[1]
    monkeypatch.setattr(selection, "vjp_x", lambda ct, x, y, z, ans: ct * 2 * _plainly(x))
    monkeypatch.setattr(selection, "vjps", (selection.vjp_x,))
    assert outcome_of("a1 = np.square(x0)\n    return (a1,)") == ("wrong", "forward over reverse and differences")


@pytest.mark.parametrize(
    "statements",
    [
        "a0 = x0 - x0\n    a1 = np.sqrt(a0)",
        "a1 = np.array([x0[0], x0[0] + x0[1] - 0.9, x0[0] * 1.0]).max()",
        "a0 = (x0 - x0) * x0\n    a1 = np.cbrt(a0)",
        "a1 = np.clip(x0, 0.9, x0)",
        "a0 = x0 - 0.9\n    a1 = np.copysign(a0, a0[:])",
        "a0 = x0 - 0.9\n    a2 = a0.view()\n    a1 = np.copysign(a0, a2)",
    ],
)
def test_kink_is_skipped_with_its_reason(statements: str) -> None:
    kind, reason = outcome_of(f"{statements}\n    return (a1,)")
    assert kind == "skipped"
    assert "singular" in reason or "kink" in reason


def test_a_constant_factor_of_zero_is_no_kink() -> None:
    assert outcome_of("a0 = np.floor(x0) * x0\n    a1 = np.cbrt(a0)\n    return (a1,)")[0] == "right"


def test_refusal_needs_a_promise() -> None:
    assert outcome_of("a1 = np.asarray(float(x0[0]))\n    return (a1,)") == ("refused", "docs/leaks.md: float(x)")
    for page in {page.partition(":")[0] for page in ("docs/leaks.md", "docs/errors.md", "docs/kinks.md")}:
        assert (Path(__file__).parents[1] / page).exists()


def test_failure_is_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(programs.MODULES, "stopped", PLANTED["stopped"])
    program = parse(
        HEAD + "a1 = np.sin(x0)\n    for i in range(2):\n        a1 = stopped(a1)\n    a2 = x0 + 1\n    return (x0, a1, a2,)"
    )
    small = shrink(program, check(program, 0), 0, False)
    assert small.statements == ["a1 = stopped(a1)"] or len(small.statements) <= 2
    assert small.returned == ["a1"]


def test_text_of_a_program_says_all() -> None:
    for number in range(20):
        program = generate((5, number))[0]
        assert parse(program.text).text == program.text


# --- JAX as a judge ------------------------------------------------------------------------------------------------------

NEEDS_JAX = pytest.mark.skipif(not jax_oracle.IS_INSTALLED, reason="JAX is not installed: differences alone judge")


@NEEDS_JAX
@pytest.mark.filterwarnings("ignore")
def test_jax_judges_what_it_runs() -> None:
    outcome = check(parse(HEAD + "a1 = np.sin(x0) * np.cumsum(x0)\n    a2 = a1 @ x0\n    return (a1, a2,)"), 0, jax=True)
    assert outcome == ("right", "judged by JAX", "")
    written = check(parse(HEAD + "a1 = np.sin(x0)\n    a1[0] = x0[1]\n    return (a1,)"), 0, jax=True)
    assert written == ("right", "", "")  # by differences


@NEEDS_JAX
@pytest.mark.filterwarnings("ignore")
def test_what_jax_has_by_another_convention_is_judged_by_differences() -> None:
    outcome = check(parse(HEAD + "a1 = np.abs(x0 - x0)\n    return (a1,)"), 0, jax=True)
    assert outcome.kind != "wrong"


@NEEDS_JAX
@pytest.mark.filterwarnings("ignore")
def test_a_derivative_that_is_lost_is_not_passed_by_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    from npgrad._registry import RULES

    selection = RULES[np.square].real[1]
    monkeypatch.setattr(selection, "jvps", (lambda t, x, y, z, ans: 2.001 * t * x, None))
    outcome = check(parse(HEAD + "a1 = np.square(x0)\n    return (a1,)"), 0, jax=True)
    assert outcome.kind == "wrong"
