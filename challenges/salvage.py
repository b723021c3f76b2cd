"""What can be read of a challenge.toml whose shape is wrong somewhere, so that its meaning is checked all the same.

An organiser who mistyped one key should not learn of the next mistake only after mending the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from challenges.spec import Part

P = TypeVar("P", bound=Part)


def salvage(model: type[P], raw: object) -> P:
    """A model whose readable keys hold their values. An unreadable key holds its default, or None if it has none.

    So every field that has no default may be None here, whatever its type says.
    """
    given = raw if isinstance(raw, Mapping) else {}
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        values[name] = _field(field, given[name], default) if name in given else default
    return cast(P, model.model_construct(**values))


def _field(field: FieldInfo, raw: object, default: object) -> Any:
    form = field.annotation
    inner = _part_in(form)
    if inner is None:
        return _whole(Annotated[form, *field.metadata] if field.metadata else form, raw, default)
    origin = get_origin(form)
    if origin is tuple:
        return tuple(salvage(inner, item) for item in raw) if isinstance(raw, list | tuple) else default
    if origin is dict:
        return {str(k): salvage(inner, item) for k, item in raw.items()} if isinstance(raw, Mapping) else default
    return salvage(inner, raw) if isinstance(raw, Mapping) else default


def _part_in(form: Any) -> type[Part] | None:
    """The model inside `Model`, `Model | None`, `tuple[Model, ...]` or `dict[str, Model]`; None if there is none."""
    for candidate in (form, *get_args(form)):
        if isinstance(candidate, type) and issubclass(candidate, Part):
            return candidate
    return None


def _whole(form: Any, raw: object, default: object) -> Any:
    try:
        return TypeAdapter(form).validate_python(raw)
    except ValidationError:
        return default
