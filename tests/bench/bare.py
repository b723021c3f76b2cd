"""The limit: an entry read and scored in a process that holds everything else in memory, with no sandbox around."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np

from challenges.folder import open_folder
from challenges.scoring_spec import scoring_spec
from scoring.cases import read_attributes, read_case_index
from scoring.evaluation import evaluate
from scoring.read import read_entry, read_reference
from scoring.registry import get
from scoring.rounding import round12
from scoring.tables import Entry
from scoring.values import Value

TABLE = "risks"


class Bare:
    """A challenge folder of one table, all of it but the entry in memory."""

    def __init__(self, files: dict[str, bytes], *, seed: int) -> None:
        with tempfile.TemporaryDirectory(prefix="arbitre-bench-") as folder:
            for path, content in files.items():
                target = Path(folder, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            self.spec = scoring_spec(open_folder(Path(folder)).spec, "main")
        cases, splits = self.spec.cases, self.spec.splits
        self.seed = seed
        self.index = read_case_index(io.BytesIO(files["public/cases.csv"]), tables=self.spec.tables, cases=cases)
        attributes = io.BytesIO(files["reference/cases.csv"])
        self.attributes = read_attributes(attributes, index=self.index, cases=cases, splits=splits, seed=seed)
        reference = read_reference({TABLE: io.BytesIO(files["reference/predictions.csv"])}, index=self.index).entry
        assert reference is not None
        self.reference = reference

    def read(self, entry: bytes) -> Entry:
        """The entry, which must be in order."""
        found = read_entry({TABLE: io.BytesIO(entry)}, index=self.index).entry
        assert found is not None
        return found

    def point(self, entry: bytes) -> float:
        """The value of the first metric on all cases, alone."""
        use = self.spec.metrics[0]
        metric = get(use.use)
        table = metric.tabulate(self.reference.tables[TABLE], self.read(entry).tables[TABLE], use.params)
        return float(round12(metric.aggregate(table, np.ones((1, table.n_cases))))[0, 0])

    def evaluate(self, entry: bytes) -> list[Value]:
        """All values with their intervals, as the sandbox computes them."""
        found = evaluate(
            spec=self.spec,
            index=self.index,
            attributes=self.attributes,
            reference=self.reference,
            entry=self.read(entry),
            seed=self.seed,
        )
        return list(found.values)
