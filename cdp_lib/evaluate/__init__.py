"""Any model, any split, all naive baselines beside it."""

from cdp_lib.evaluate.all_rows import all_rows
from cdp_lib.evaluate.as_published import predict_as_published
from cdp_lib.evaluate.checkpoint import remember
from cdp_lib.evaluate.comparison import averaged, compared, summary
from cdp_lib.evaluate.cross_validation import cross_predict, cross_validate
from cdp_lib.evaluate.ensembles import by_count
from cdp_lib.evaluate.few_lines import over_lines, repeats
from cdp_lib.evaluate.fitting import fitted, naive_baselines
from cdp_lib.evaluate.layers import predict_layers
from cdp_lib.evaluate.on_rows import on_rows
from cdp_lib.evaluate.predictions import Predictions
from cdp_lib.evaluate.rankings import line_views, pooled, recurrent, whole
from cdp_lib.evaluate.redrawn import passing, per_unit, redrawn, share_above, without_line_means
from cdp_lib.evaluate.screening import Forecast, all_pairs, forecast, shortlist
from cdp_lib.evaluate.search import HoldOut, Search
from cdp_lib.evaluate.switches import leaky_chain, switch_on
from cdp_lib.evaluate.transfer import transfer
from cdp_lib.evaluate.two_stages import choose_epochs, course, first_stage, second_stage

__all__ = [
    "Forecast", "HoldOut", "Predictions", "Search", "all_pairs", "all_rows", "averaged",
    "by_count", "choose_epochs", "compared", "course", "cross_predict", "cross_validate",
    "first_stage", "fitted", "forecast", "leaky_chain", "line_views", "naive_baselines", "on_rows",
    "over_lines", "passing", "per_unit", "pooled", "predict_as_published", "predict_layers",
    "recurrent", "redrawn", "remember", "repeats", "second_stage", "share_above", "shortlist",
    "summary", "switch_on", "transfer", "whole", "without_line_means",
]  # fmt: skip
