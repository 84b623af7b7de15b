"""How many examples a property is tried with."""

from hypothesis import settings

_DEFAULT = 100  # what Hypothesis tries where nothing is said, and what `examples` takes for the whole


def examples(whole: int) -> int:
    """`whole` in the whole test run; in the inner loop as few of them as its profile tries of the default."""
    return max(5, whole * settings.default.max_examples // _DEFAULT)
