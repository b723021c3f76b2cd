"""Faults of one column, told one by one, or once where the whole column has them."""

from scoring.issues import KEPT, Field, IssueLog

_WHOLE = 0.9
_FEW = 3


class Faults:
    """Collects what is wrong in one column (or in the rows as such) of one file, with bounded memory."""

    def __init__(self, log: IssueLog, *, table: str, column: str | None) -> None:
        """`log` receives the issues at `flush`."""
        self._log, self._table, self._column = log, table, column
        self._kept: dict[str, list[tuple[int, str, dict[str, Field]]]] = {}
        self._count: dict[str, int] = {}

    def add(self, code: str, line: int, value: str, **fields: Field) -> None:
        """One cell or row. `line`: 1-based."""
        self._count[code] = self._count.get(code, 0) + 1
        kept = self._kept.setdefault(code, [])
        if len(kept) < KEPT:
            kept.append((line, value, fields))

    def flush(self, rows: int, *, whole: tuple[str, ...] = ()) -> None:
        """Report. A code met on nine tenths of `rows` (and on more than 3), or named in `whole`, becomes one issue."""
        for code, kept in self._kept.items():
            count = self._count[code]
            if code in whole or (count > _FEW and count >= _WHOLE * rows):
                line, value, fields = kept[0]
                self._log.add(
                    code, table=self._table, line=line, column=self._column, value=value, **{**fields, "count": count}
                )
                continue
            for line, value, fields in kept:
                self._log.add(code, table=self._table, line=line, column=self._column, value=value, **fields)
            self._log.count(code, count - len(kept))
