"""Hyperparameters for TensorBoard's table of runs: three messages a run."""

from __future__ import annotations

from typing import Any

from minitorch.tensor.tensor import Tensor
from minitorch.utils.tensorboard.library import library
from minitorch.utils.tensorboard.messages import plugin_metadata


def hparams(
    hparam_dict: dict[str, Any], metric_dict: dict[str, Any], hparam_domain_discrete: dict[str, list[Any]] | None = None
) -> tuple[Any, Any, Any]:
    """The messages for the experiment, for the start of its run (with the values), and for the end.

    Args: hparam_dict: numbers, strings, booleans, tensors of one element, or None (left out); metric_dict: only
    the names are used; hparam_domain_discrete: all values that a hyperparameter can have.
    Raises: TypeError for what is no dict, or for a domain that does not fit; ValueError for another value.
    """
    domains = hparam_domain_discrete or {}
    for name, given in (
        ("hparam_dict", hparam_dict),
        ("metric_dict", metric_dict),
        ("hparam_domain_discrete", domains),
    ):
        if not isinstance(given, dict):
            raise TypeError(f"parameter: {name} should be a dictionary, nothing logged.")
    _check_domains(domains, hparam_dict)
    api, data, metadata = library().hparams.api, library().hparams.data, library().hparams.metadata
    start = data.SessionStartInfo()
    infos = []
    for name, value in hparam_dict.items():
        if value is None:
            continue
        value, field, kind = _typed(value)
        setattr(start.hparams[name], field, value)
        infos.append(api.HParamInfo(name=name, type=api.DataType.Value(kind)))
        if name in domains:
            infos[-1].domain_discrete.extend(domains[name])
    metrics = [api.MetricInfo(name=api.MetricName(tag=tag)) for tag in metric_dict]
    end = data.SessionEndInfo(status=api.Status.Value("STATUS_SUCCESS"))
    return (
        _message(metadata.EXPERIMENT_TAG, experiment=api.Experiment(hparam_infos=infos, metric_infos=metrics)),
        _message(metadata.SESSION_START_INFO_TAG, session_start_info=start),
        _message(metadata.SESSION_END_INFO_TAG, session_end_info=end),
    )


def _check_domains(domains: dict[str, list[Any]], values: dict[str, Any]) -> None:
    for name, domain in domains.items():
        is_typed = name in values and isinstance(domain, list)
        if not is_typed or not all(isinstance(each, type(values[name])) for each in domain):
            raise TypeError(
                f"parameter: hparam_domain_discrete[{name}] should be a list of same type as hparam_dict[{name}]."
            )


def _typed(value: Any) -> tuple[Any, str, str]:
    """The value, the field it goes into, and TensorBoard's name of its type; booleans count as numbers, as in torch."""
    if isinstance(value, Tensor):
        value = value.item()
    if isinstance(value, (int, float)):
        return value, "number_value", "DATA_TYPE_FLOAT64"
    if isinstance(value, str):
        return value, "string_value", "DATA_TYPE_STRING"
    raise ValueError("value should be one of int, float, str, bool, or minitorch.Tensor")


def _message(tag: str, **content: Any) -> Any:
    metadata = library().hparams.metadata
    data = library().hparams.data.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, **content)
    Summary = library().Summary
    return Summary(value=[Summary.Value(tag=tag, metadata=plugin_metadata(metadata.PLUGIN_NAME, data))])
