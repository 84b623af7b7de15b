"""The editor of targets, which more than one form leads to."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from dataforge.contexts.schemas.designs.domain.document import Design, parse_design
from dataforge.contexts.schemas.designs.pictures import picture_of
from dataforge.contexts.schemas.designs.representations import Drawn
from dataforge.contexts.schemas.designs.texts import Problem, read_target
from dataforge.contexts.schemas.page_calls import SchemaPageCall
from dataforge.kernel.errors import DataForgeError
from dataforge.web.forms import ACCEPTED, Refusal

MOST_ASKED = 50  # questions on one page


def lines_of_form(form: Mapping[str, str], name: str) -> str:
    """The text of a text area; browsers send its lines with CR LF."""
    return form.get(name, "").replace("\r\n", "\n")


def show_editor(
    call: SchemaPageCall,
    text: str,
    *,
    design: Design | None = None,
    problems: Sequence[Problem] = (),
    warnings: Sequence[Problem] = (),
    questions: Sequence[Any] = (),
    checked: bool = False,
    refusal: Refusal = ACCEPTED,
) -> Response:
    """The editor with this text; of one that can be read the tables are shown."""
    if design is None:
        try:
            design = parse_design(read_target(text))
        except DataForgeError:
            design = None
    return call.page(
        "schemas/editor.html",
        refusal=refusal,
        text=text,
        problems=problems,
        warnings=warnings,
        questions=questions[:MOST_ASKED],
        checked=checked,
        schema=None if design is None else design.schema,
        picture=None if design is None else picture_of(Drawn(design.schema, "Target")),
    )
