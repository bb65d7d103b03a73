"""Renders and lints the chart without a cluster or the helm program: JSON in, JSON out.

Standard input is a list of cases, each {"values": [file or object, ...], "upgrade": bool, "name": ..., "namespace": ...};
later values override earlier ones as with several -f, and null removes a key. Standard output is a list of
{"objects": [...]} or {"error": message}. With "lint": true a case is linted instead: {"messages": [...]}.
"""

import json
import sys

import helm_python as helm
import yaml


def merge(below, above):
    """Merges values like Helm: maps by key, everything else is replaced, null removes."""
    merged = dict(below)
    for key, value in above.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def values_of(case):
    values = {}
    for source in case.get("values", []):
        if isinstance(source, str):
            with open(source, encoding="utf-8") as file:
                source = yaml.safe_load(file) or {}
        values = merge(values, source)
    return values


def render(chart, case):
    upgrade = case.get("upgrade", False)
    files = chart.render(
        values_of(case),
        name=case.get("name", "pulsecheck"),
        namespace=case.get("namespace", "pulsecheck"),
        is_install=not upgrade,
        is_upgrade=upgrade,
        revision=2 if upgrade else 1,
    )
    objects = []
    for path, text in sorted(files.items()):
        if path.endswith((".yaml", ".yml")):
            objects += [document for document in yaml.safe_load_all(text) if document]
    return {"objects": objects, "notes": next((t for p, t in files.items() if p.endswith("NOTES.txt")), "")}


def main():
    path = sys.argv[1]
    results = []
    for case in json.load(sys.stdin):
        try:
            if case.get("lint"):
                found = helm.lint(path, values_of(case), strict=True, kube_version=None)
                results.append({"messages": found["messages"], "errors": found["errors"]})
            else:
                with helm.Chart.load(path) as chart:
                    results.append(render(chart, case))
        except helm.HelmError as error:
            results.append({"error": str(error)})
    json.dump(results, sys.stdout)


main()
