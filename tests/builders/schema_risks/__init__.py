"""Changes of schemas with rows in them, labelled with what they lose; what they lock is for an observer to see."""

from tests.builders.schema_risks.conversions import CONVERSIONS
from tests.builders.schema_risks.label import Label
from tests.builders.schema_risks.losses import LOSSES
from tests.builders.schema_risks.structures import STRUCTURES

LABELS: dict[str, Label] = {**CONVERSIONS, **LOSSES, **STRUCTURES}

__all__ = ["LABELS", "Label"]
