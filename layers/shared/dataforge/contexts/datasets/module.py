"""How datasets is wired: its services, and what they serve and do."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dataforge.contexts.datasets.contract import BranchMoved, DatasetReader
from dataforge.contexts.datasets.services import DatasetsServices
from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.kernel.events import Event
from dataforge.platform.access import DatasetLevels
from dataforge.platform.module import Command, Consumer, Job, Module, Subscriber

if TYPE_CHECKING:
    from dataforge.platform.ops import Ops
    from dataforge.platform.personal_data import PersonalData

DATASETS = "dataforge.contexts.datasets"


def _operator_commands() -> Mapping[str, Command[DatasetsServices]]:
    from dataforge.contexts.datasets.maintenance import consumers

    return {"verify_dataset": consumers.verify_dataset, "upkeep_dataset": consumers.upkeep_dataset}


def _import_messages() -> Consumer[DatasetsServices]:
    from dataforge.contexts.datasets.imports import consumers

    return consumers.import_messages


def _export_messages() -> Consumer[DatasetsServices]:
    from dataforge.contexts.datasets.exports import consumers

    return consumers.export_messages


def _jobs() -> Mapping[str, Job[DatasetsServices]]:
    from dataforge.contexts.datasets.maintenance import consumers

    return {"datasets": consumers.queue_due}


def _personal_data() -> "PersonalData[DatasetsServices]":
    from dataforge.contexts.datasets.personal_data import personal_data

    return personal_data()


def _subscribers() -> Mapping[type[Event], Sequence[Subscriber[DatasetsServices]]]:
    from dataforge.contexts.datasets.datasets.consumers import follow_merge, put_away
    from dataforge.contexts.datasets.publications.consumers import follow_branch

    return {AccountsMerged: (follow_merge,), BranchMoved: (follow_branch,), WorkspaceDeleted: (put_away,)}


def _ops() -> "Ops":
    from dataforge.contexts.datasets.ops import ops

    return ops()


MODULE = Module(
    name="datasets",
    services=DatasetsServices,
    routers={
        "datasets_api": {
            "/api/datasets": f"{DATASETS}.routes",
            "/api/sql": f"{DATASETS}.routes",
            "/ui/datasets": f"{DATASETS}.pages",
        },
        "datasets_sql": {"/api/datasets": f"{DATASETS}.routes", "/api/sql": f"{DATASETS}.routes"},
    },
    offers={
        DatasetReader: lambda platform: platform.get(DatasetsServices).dataset_reader,
        DatasetLevels: lambda platform: platform.get(DatasetsServices),
    },
    commands={"dataset_import": _operator_commands},
    consumers={"dataset_import": _import_messages, "dataset_export": _export_messages},
    jobs=_jobs,
    personal_data=_personal_data,
    subscribers=_subscribers,
    ops=_ops,
)
