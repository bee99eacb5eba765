"""Settings: declared beside a signature, and checked in one place.

    _settings = {"epochs": Number(whole=True), "patience": [None, Number(whole=True)]}

A setting is right when one of the things listed for it allows it.  A component, such as
`Training`, is a handful of settings that several models share; it never changes, so that two models
may hold the same one.
"""

import math
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, ClassVar, Protocol

import numpy as np
from sklearn.base import BaseEstimator

from cdp_lib.errors import InputError


class Allowed(Protocol):
    """What a setting may be: `allows(value)` decides, and `str` says it after "give ..."."""

    def allows(self, value: object) -> bool: ...


@dataclass(frozen=True)
class Number:
    """A number from `least` to `most`, and below `below`; True and False are none."""

    least: float = 0
    below: float = math.inf
    whole: bool = False
    most: float = math.inf

    def allows(self, value: object) -> bool:
        kind = isinstance(value, Integral if self.whole else Real)
        if not kind or isinstance(value, bool | np.bool_):
            return False
        return self.least <= value < self.below and value <= self.most

    def __str__(self) -> str:
        upper = "" if self.below == math.inf else f" and below {self.below}"
        upper += "" if self.most == math.inf else f" and at most {self.most}"
        return f"{'a whole number' if self.whole else 'a number'} of at least {self.least}{upper}"


class OneOf:
    """One of a few words, or of True and False."""

    def __init__(self, *words: str | bool):
        self.words = words

    def allows(self, value: object) -> bool:
        return isinstance(value, str | bool) and value in self.words

    def __str__(self) -> str:
        return "one of " + ", ".join(map(str, self.words))


@dataclass(frozen=True)
class Tuple:
    """A tuple or list of `least` values or more, each of which `each` allows."""

    each: Allowed
    least: int = 0

    def allows(self, value: object) -> bool:
        if not isinstance(value, tuple | list) or len(value) < self.least:
            return False
        return all(self.each.allows(one) for one in value)

    def __str__(self) -> str:
        example = ", such as (64, 32)" if isinstance(self.each, Number) else ""
        return f"a tuple of {self.least} or more{example}, each of them {self.each}"


class Instance:
    """An object of one of a few classes."""

    def __init__(self, *kinds: type):
        self.kinds = kinds

    def allows(self, value: object) -> bool:
        return isinstance(value, self.kinds)

    def __str__(self) -> str:
        return "an object of " + " or ".join(kind.__name__ for kind in self.kinds)


class Workers:
    """A number of workers as joblib counts them: -1 is one for each core."""

    def allows(self, value: object) -> bool:
        return Number(least=-math.inf, whole=True).allows(value) and value != 0

    def __str__(self) -> str:
        return "a whole number other than 0"


WIDTHS = Tuple(Number(least=1, whole=True))  # of layers

Setting = Allowed | None | Sequence[Allowed | None]


def check_setting(name: str, value: object, allowed: Setting) -> None:
    """Refuse in one sentence what `allowed` does not allow."""
    choices = allowed if isinstance(allowed, list) else [allowed]
    if any(value is None if one is None else one.allows(value) for one in choices):
        return
    shown = " ".join(reprlib.repr(value).split())
    raise InputError(f"{name} is {shown}: give {' or '.join(map(str, choices))}.")


def check_settings(owner: object) -> None:
    """Check all that `owner` declares in `_settings`."""
    for name, allowed in owner._settings.items():
        check_setting(name, getattr(owner, name), allowed)


def check_number(
    name: str, value: object, least: float = 0, below: float = math.inf, whole: bool = False
) -> None:
    """Refuse a value that is no number, no whole one, or not from `least` to below `below`."""
    check_setting(name, value, Number(least, below, whole))


class Component(BaseEstimator):
    """A frozen dataclass of settings, checked when it is made; scikit-learn reads and clones it."""

    _settings: ClassVar[dict[str, Setting]] = {}

    def __post_init__(self) -> None:
        check_settings(self)

    def set_params(self, **params: Any) -> "Component":
        if not params:
            return self
        raise InputError(
            f"A {type(self).__name__} never changes, because several models may hold it: "
            "make another one."
        )


class Estimator(BaseEstimator):
    """A model that declares its settings and may hold components.

    `set_params(training__lr=0.1)` gives the model another `Training` and leaves the one it had as
    it is, because other models may hold it, too.
    """

    _settings: ClassVar[dict[str, Setting]] = {}

    def set_params(self, **params: Any) -> "Estimator":
        own = self.get_params(deep=False)
        changes: dict[str, dict[str, Any]] = {}
        for name in [name for name in params if "__" in name]:
            part, _, setting = name.partition("__")
            if isinstance(params.get(part, own.get(part)), Component):
                changes.setdefault(part, {})[setting] = params.pop(name)
        super().set_params(**params)
        for part, settings in changes.items():
            setattr(self, part, _changed(getattr(self, part), settings))
        return self


def _changed(component: Component, settings: dict[str, Any]) -> Component:
    unknown = sorted(set(settings) - set(component.get_params(deep=False)))
    if unknown:
        known = ", ".join(component.get_params(deep=False))
        raise InputError(f"A {type(component).__name__} has no {unknown[0]!r}: it has {known}.")
    return replace(component, **settings)
