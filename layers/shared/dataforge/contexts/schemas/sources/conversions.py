"""Conversion for a workspace: what was deployed there gives things their stable ids."""

from typing import TYPE_CHECKING

from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.designs.domain.names import namespace_of
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans.planning import compile_target
from dataforge.contexts.schemas.plans.previewing import driver, find_deployed
from dataforge.contexts.schemas.sources.converting import Converted, run_document, run_script
from dataforge.contexts.schemas.sources.domain.dbml import read_dbml
from dataforge.contexts.schemas.sources.domain.script import read_script
from dataforge.contexts.schemas.sources.domain.source import Remark

if TYPE_CHECKING:
    from dataforge.contexts.schemas.sources.wire import ConvertIn


async def convert(services: SchemasServices, given: "ConvertIn") -> Converted:
    """The schema that is given, judged by PostgreSQL; leaves nothing behind.

    Raises InvalidSource, InvalidTarget, ExpressionForbidden, NotExpressible.
    """
    before = await find_deployed(services, given.workspace_id)
    named = () if before is None else before.design.named
    namespace = namespace_of(given.workspace_id)
    if given.sql is not None:
        script = read_script(given.sql)
        async with driver(services.proofs) as connection:
            return await run_script(connection, script, namespace, named)
    if given.dbml is not None:
        reading = read_dbml(given.dbml)
        async with driver(services.proofs) as connection:
            return await run_document(connection, reading, namespace, named)
    target = given.target or {}
    design = parse_design(target)
    async with driver(services.proofs) as connection:
        schema = await compile_target(connection, design)
    remarks = [Remark(0, 0, item.message, item.rule, item.pointer) for item in design.warnings]
    return Converted(schema, target, remarks)
