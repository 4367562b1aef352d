"""Whether the better prompt depends on the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interaction:
    """The test of prompts against models.

    Attributes:
        statistic: F of the interaction, or infinite where there is an effect and no noise at all.
        freedom: its two degrees of freedom, already corrected.
        p_value: how often as much would be seen if each prompt's gain were the same on every model.
        effects: what each cell has beyond its prompt's and its model's own mean; (prompts, models), each row and each
            column adds up to 0.
        units: inputs (or groups) finished on every prompt and model.
    """

    statistic: float
    freedom: tuple[float, float]
    p_value: float
    effects: tuple[tuple[float, ...], ...]
    units: int


def interaction(scores: ArrayLike) -> Interaction:
    """The repeated-measures F test of the prompt x model interaction, with Greenhouse and Geisser's correction.

    Each unit saw every prompt on every model, so the noise is the units' own deviation from the mean interaction. The
    correction shrinks both degrees of freedom by how unequal the interaction's variances are, which keeps the test
    honest without any assumption about them.

    Source: S. W. Greenhouse and S. Geisser, "On methods in the analysis of profile data", Psychometrika 24 (1959).

    Args:
        scores: one mean score per cell, (units, prompts, models); a unit with a NaN anywhere is left out.

    Raises:
        InvalidInput: not three axes, fewer than two prompts or models, or fewer than three whole units.
    """
    import numpy as np
    from scipy.stats import f

    cube = np.asarray(scores, dtype=np.float64)
    if cube.ndim != 3 or min(cube.shape[1:]) < 2:
        raise InvalidInput("An interaction needs scores of shape (units, prompts, models), two of each at least.")
    cube = cube[~np.isnan(cube).any(axis=(1, 2))]
    units, prompts, models = cube.shape
    if units < 3:
        raise InvalidInput("An interaction needs at least three inputs that every prompt finished on every model.")
    own = _contrasts(cube)  # (units, contrasts)
    mean, freedom = own.mean(axis=0), (prompts - 1) * (models - 1)
    covariance = np.atleast_2d(np.cov(own, rowvar=False))  # (contrasts, contrasts)
    noise, effect = float(np.trace(covariance)) / freedom, units * float(mean @ mean) / freedom
    cells = cube.mean(axis=0)
    effects = cells - cells.mean(axis=0) - cells.mean(axis=1, keepdims=True) + cells.mean()
    if noise <= 1e-12:
        absent = effect <= 1e-12
        statistic, p_value, first, second = (0.0, 1.0, 1.0, 1.0) if absent else (float("inf"), 0.0, 1.0, 1.0)
    else:
        epsilon = float(np.trace(covariance)) ** 2 / (freedom * float((covariance**2).sum()))
        first, second = epsilon * freedom, epsilon * freedom * (units - 1)
        statistic = effect / noise
        p_value = float(f.sf(statistic, first, second))
    rows = tuple(tuple(float(value) for value in row) for row in effects)
    return Interaction(statistic, (first, second), p_value, rows, units)


def _contrasts(cube: Floats) -> Floats:
    """Each unit's interaction as orthonormal contrasts; (units, (prompts-1)(models-1))."""
    import numpy as np
    from scipy.linalg import helmert

    units, prompts, models = cube.shape
    weights = np.kron(helmert(prompts), helmert(models))  # (contrasts, prompts * models)
    return np.asarray(cube.reshape(units, prompts * models) @ weights.T, dtype=np.float64)
