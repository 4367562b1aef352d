"""A measured share, and how sure it is. Knows nothing of what was measured."""

from dataclasses import dataclass

from core.stats import wilson


@dataclass(frozen=True)
class Result:
    """One line of a table: ``hits`` of ``n`` items."""

    family: str
    technique: str
    measure: str
    hits: int
    n: int

    @property
    def share(self) -> float:
        return self.hits / self.n

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.hits, self.n)
