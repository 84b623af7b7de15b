"""DataForge from Python: datasets as DataFrames, rosters, reports and learning records.

    from dataforge_client import Client

    with Client.from_env() as client:
        grades = client.datasets["Grades"]
        grades.upload("marks.csv", key=["student"])
        frame = grades.to_pandas()

`AsyncClient` is the same to be awaited.
"""

from dataforge_client.client import AsyncClient, Client
from dataforge_client.config import Profile, config_path, load_profile, remove_profile, write_profile
from dataforge_client.datasets import Dataset, Datasets
from dataforge_client.diffs import Change, Diff
from dataforge_client.errors import (
    Ambiguous,
    ApiError,
    BadRequest,
    ClientError,
    Conflict,
    Forbidden,
    JobFailed,
    JobTimeout,
    Locked,
    MergeConflict,
    Missing,
    NotConfigured,
    NotFound,
    PlanStale,
    PreconditionFailed,
    RefMoved,
    ServerError,
    TooLarge,
    TooManyRequests,
    TransferFailed,
    Unauthorized,
    Unreachable,
    ValidationFailed,
    Violation,
)
from dataforge_client.flows import Async, Sync
from dataforge_client.importing import ImportPlan, PlannedSheet
from dataforge_client.lrs import Lrs, Refused, Sent
from dataforge_client.models import Column, Commit, CommitResult, DatasetInfo, Job, MergePreview, Ref, Sheet
from dataforge_client.reading import Result
from dataforge_client.reports import Report, Reports
from dataforge_client.resources import Collection
from dataforge_client.rosters import RosterPlan, RosterRow, Rosters
from dataforge_client.session import Retries, package_version
from dataforge_client.webhooks import Delivery, NotGenuine, verify

__version__ = package_version()
__all__ = [
    "Ambiguous",
    "ApiError",
    "Async",
    "AsyncClient",
    "BadRequest",
    "Change",
    "Client",
    "ClientError",
    "Collection",
    "Column",
    "Commit",
    "CommitResult",
    "Conflict",
    "Dataset",
    "DatasetInfo",
    "Datasets",
    "Delivery",
    "Diff",
    "Forbidden",
    "ImportPlan",
    "Job",
    "JobFailed",
    "JobTimeout",
    "Locked",
    "Lrs",
    "MergeConflict",
    "MergePreview",
    "Missing",
    "NotConfigured",
    "NotFound",
    "NotGenuine",
    "PlanStale",
    "PlannedSheet",
    "PreconditionFailed",
    "Profile",
    "Ref",
    "RefMoved",
    "Refused",
    "Report",
    "Reports",
    "Result",
    "Retries",
    "RosterPlan",
    "RosterRow",
    "Rosters",
    "Sent",
    "ServerError",
    "Sheet",
    "Sync",
    "TooLarge",
    "TooManyRequests",
    "TransferFailed",
    "Unauthorized",
    "Unreachable",
    "ValidationFailed",
    "Violation",
    "config_path",
    "load_profile",
    "remove_profile",
    "verify",
    "write_profile",
]
