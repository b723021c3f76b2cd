"""Which metrics there are: built-in ones, and those that installed packages offer as entry points `arbitre.metrics`."""

from importlib.metadata import entry_points

from scoring.metric import Metric, MetricCard
from scoring.metrics.accuracy import accuracy, balanced_accuracy
from scoring.metrics.agreement import ccc, r2, spearman
from scoring.metrics.auroc import auroc
from scoring.metrics.average_precision import average_precision
from scoring.metrics.brier import brier
from scoring.metrics.calibration import calibration
from scoring.metrics.coco_ap import coco_ap
from scoring.metrics.cohen_kappa import cohen_kappa
from scoring.metrics.composite import composite
from scoring.metrics.cytologia import cytologia
from scoring.metrics.errors import mae, rmse
from scoring.metrics.f1 import macro_f1, micro_f1
from scoring.metrics.fbeta_boxes import fbeta_boxes, pooled_fbeta_boxes
from scoring.metrics.fixed_points import ppv_at_sensitivity, sensitivity_at_specificity
from scoring.metrics.froc import froc
from scoring.metrics.harrell_c import harrell_c
from scoring.metrics.log_loss import log_loss
from scoring.metrics.macro_ovr_auroc import macro_ovr_auroc
from scoring.metrics.mcc import mcc
from scoring.metrics.mean_cost import mean_cost
from scoring.metrics.net_benefit import net_benefit
from scoring.metrics.operating_point import operating_point

GROUP = "arbitre.metrics"

BUILT_IN: dict[str, Metric] = {
    metric.card.key: metric
    for metric in (
        auroc,
        average_precision,
        macro_ovr_auroc,
        accuracy,
        balanced_accuracy,
        macro_f1,
        micro_f1,
        cohen_kappa,
        mcc,
        mean_cost,
        log_loss,
        brier,
        operating_point,
        ppv_at_sensitivity,
        sensitivity_at_specificity,
        net_benefit,
        calibration,
        mae,
        rmse,
        r2,
        ccc,
        spearman,
        harrell_c,
        cytologia,
        coco_ap,
        fbeta_boxes,
        pooled_fbeta_boxes,
        froc,
        composite,
    )
}


def get(key: str) -> Metric:
    """The metric of that key. Raises KeyError with a sentence naming those there are. A built-in is never replaced."""
    if key in BUILT_IN:
        return BUILT_IN[key]
    for point in entry_points(group=GROUP, name=key):
        metric: Metric = point.load()
        return metric
    offered = sorted({*BUILT_IN, *entry_points(group=GROUP).names})
    raise KeyError(f"there is no metric {key!r}: there are {', '.join(offered)}")


def cards() -> list[MetricCard]:
    """The cards of all metrics, by key."""
    keys = {*BUILT_IN, *entry_points(group=GROUP).names}
    return [get(key).card for key in sorted(keys)]
