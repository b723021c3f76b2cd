"""`arbitre metric`: what metrics there are, and one of them on two files, without a challenge or a server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.errors import Usage
from app.cli.options import Json, Plain, told
from app.cli.output import Output
from app.cli.values import show_values
from app.cli.words import count

Name = Annotated[str, typer.Argument(metavar="NAME|list|show", help="A metric, or `list`, or `show NAME`.")]
Reference = Annotated[Path | None, typer.Option("--reference", help="CSV with the answers, one line per case.")]
Predictions = Annotated[Path | None, typer.Option("--predictions", help="CSV with the predictions.")]
Params = Annotated[str, typer.Option("--params", metavar="JSON", help="Parameters, as `metric show NAME` names them.")]


@told
def metric(
    name: Name,
    shown: Annotated[str, typer.Argument(metavar="[NAME]", help="With `show`: which metric.")] = "",
    reference: Reference = None,
    predictions: Predictions = None,
    params: Params = "{}",
    case: Annotated[str, typer.Option("--id", help="Column of case ids; the one both files share.")] = "",
    key: Annotated[list[str] | None, typer.Option("--key", help="Column that tells two rows of a case apart.")] = None,
    cluster: Annotated[str, typer.Option("--cluster", help="Column of the reference that is resampled whole.")] = "",
    subgroup: Annotated[
        list[str] | None, typer.Option("--subgroup", help="Column of the reference; repeatable.")
    ] = None,
    missing: Annotated[str, typer.Option("--missing", help="Cases without a row: refuse, worst or empty.")] = "refuse",
    duplicates: Annotated[str, typer.Option("--duplicates", help="Repeated rows: refuse or first.")] = "refuse",
    replicates: Annotated[int, typer.Option("--replicates", min=2, max=100_000, help="Resamples.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the resamples.")] = 0,
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """Compute a metric on two files, or describe metrics. `list` names them, `show NAME` explains one."""
    out = Output(json=as_json, plain=plain)
    if name == "list":
        return _list(out)
    if name == "show" or shown:
        return _show(shown if name == "show" else name, out)
    if _card(name)["rows"] == "none":
        from scoring.metrics.composite import ALONE

        raise Usage(f"{ALONE.capitalize()}.")
    if reference is None or predictions is None:
        raise Usage(f"Give both files: arbitre metric {name} --reference FILE --predictions FILE --params JSON")
    from app.cli.scoring_once import Question, answer

    question = Question(
        metric=name,
        reference=reference,
        predictions=predictions,
        params=_parsed(params),
        case=case,
        key=tuple(key or ()),
        cluster=cluster or None,
        subgroups=tuple(subgroup or ()),
        missing=_word("--missing", missing, ("refuse", "worst", "empty")),
        duplicates=_word("--duplicates", duplicates, ("refuse", "first")),
        replicates=replicates,
        seed=seed,
    )
    values = answer(question, out)
    out.document(values)
    show_values(values, out)
    return None


def _list(out: Output) -> None:
    from scoring.registry import cards

    found = [card.to_json() for card in cards()]
    out.document(found)
    rows = [[card["key"], card["title"], f"{card['direction']} is better", card["version"]] for card in found]
    out.table(["metric", "title", "direction", "version"], rows)


def _show(name: str, out: Output) -> None:
    if not name:
        raise Usage("Say which metric: arbitre metric show NAME. `arbitre metric list` shows those there are.")
    card = _card(name)
    out.document(card)
    low, high = card["range"]
    ends = f"{'-inf' if low is None else f'{low:g}'} to {'inf' if high is None else f'{high:g}'}"
    out.say(f"{card['title']} ({card['key']}, version {card['version']}): {ends}, {card['direction']} is better.")
    out.say(f"Values: {', '.join(card['outputs'])}.")
    properties: Mapping[str, Any] = card["params"].get("properties", {})
    if properties:
        out.say(f"It has {count(len(properties), 'parameter')}. {_ways(card['params'])}".rstrip())
        out.table(["parameter", "kind", "default", "meaning"], [_parameter(n, p) for n, p in properties.items()])


def _card(name: str) -> dict[str, Any]:
    from scoring.registry import get

    try:
        return get(name).card.to_json()
    except KeyError as error:
        raise Usage(f"{str(error.args[0]).capitalize()}.") from error


def _ways(schema: Mapping[str, Any]) -> str:
    needed = ", ".join(schema.get("required", ()))
    ways = " or ".join(" and ".join(way["required"]) for way in schema.get("oneOf", ()))
    return f"{f'Needed: {needed}.' if needed else ''} {f'One of: {ways}.' if ways else ''}".strip()


def _parameter(name: str, schema: Mapping[str, Any]) -> list[str]:
    default = json.dumps(schema["default"]) if "default" in schema else ""
    return [name, str(schema.get("type", "")), default, str(schema.get("description", ""))]


def _parsed(text: str) -> dict[str, Any]:
    try:
        params = json.loads(text)
    except ValueError as error:
        raise Usage(f'--params is not JSON ({error}). Write it like \'{{"label": "y"}}\'.') from error
    if not isinstance(params, dict):
        raise Usage("--params must be a JSON object: names and values between braces.")
    return params


def _word(option: str, given: str, allowed: tuple[str, ...]) -> Any:
    if given not in allowed:
        raise Usage(f"{option} is one of {', '.join(allowed)}, not {given!r}.")
    return given
