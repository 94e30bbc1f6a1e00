"""Parses metrics."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: Any) -> float:
    """The sum of the series of `name` with these labels."""
    wanted = {(label, str(given)) for label, given in labels.items()}
    return sum(number for (found, theirs), number in samples.items() if found == name and wanted <= theirs)
