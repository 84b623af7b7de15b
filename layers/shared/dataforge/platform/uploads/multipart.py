"""Multipart uploads whose row says where they are at the store and how the file is cut."""

from collections.abc import Mapping, Sequence
from typing import Any

from dataforge.kernel.texts import Text
from dataforge.kernel.uploads import PartPlan, PartsIncomplete, UploadClosed
from dataforge.platform.uploads.files import S3Files, S3Part


def plan_of(row: Mapping[str, Any]) -> PartPlan:
    """How the file of an upload row is cut."""
    return PartPlan(row["size_bytes"], row["part_size"])


def check_parts(plan: PartPlan, parts: Sequence[S3Part]) -> None:
    """Raise PartsIncomplete unless every part of the plan is there with its size."""
    sizes = {part.number: part.size for part in parts}
    wrong = [n for n in range(1, plan.count + 1) if sizes.get(n) != plan.length(n)]
    extra = sorted(set(sizes) - set(range(1, plan.count + 1)))
    if wrong or extra:
        listed = ", ".join(map(str, (wrong + extra)[:20]))
        message = Text(
            "{count} part(s) are missing or have another size: {listed}. Upload them again.",
            count=len(wrong) + len(extra),
            listed=listed,
        )
        raise PartsIncomplete(message, facts={"parts": (wrong + extra)[:1000]})


def require_parts(row: Mapping[str, Any], storage: S3Files) -> None:
    """Raise PartsIncomplete or UploadClosed unless the upload at the store is whole."""
    parts = storage.parts(row["s3_key"], row["s3_upload_id"])
    if parts is not None:
        check_parts(plan_of(row), parts)
    elif not storage.exists(row["s3_key"]):
        message = Text("The upload has expired; open a new one.")
        raise UploadClosed(message)


def make_object(row: Mapping[str, Any], storage: S3Files) -> None:
    """Complete the multipart upload at the store; does nothing if that was done before. Raises as `require_parts`."""
    require_parts(row, storage)
    parts = storage.parts(row["s3_key"], row["s3_upload_id"])
    if parts is not None:
        storage.complete(row["s3_key"], row["s3_upload_id"], parts)
