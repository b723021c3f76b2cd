"""What must stand beside every value of a phase, as codes; the text is made at the edge."""

from scoring.spec import ScoringSpec

NO_CLUSTER = "N-NO-CLUSTER"  # the interval is per case, and too narrow if cases share a patient


def notes(spec: ScoringSpec) -> tuple[str, ...]:
    """Codes of the notes that this spec calls for."""
    return () if spec.cases.cluster else (NO_CLUSTER,)
