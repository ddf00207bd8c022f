"""What a case knows beyond the ledger, for the process that goes on after the one that died."""

import json
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Self


@dataclass(slots=True, kw_only=True)
class Notes:
    """What outlives a process of the case."""

    customers: dict[str, str] = field(default_factory=dict)  # by the name that the scenario gives them
    told: dict[str, str] = field(default_factory=dict)  # units by "customer meter hour"
    words: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Self:
        return cls(**json.loads(file.read_text()))

    def keep(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self)))

    def sums(self) -> dict[tuple[str, str, int], Decimal]:
        """As the judge wants them."""
        return {
            (customer, meter, int(hour)): Decimal(value)
            for key, value in self.told.items()
            for customer, meter, hour in [key.split()]
        }
