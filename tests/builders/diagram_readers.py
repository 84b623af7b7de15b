"""Mermaid's and DBML's own parsers, and what they understand of our texts."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from infra.local.environments import ENVIRONMENTS
from infra.local.npm import DIAGRAM_READERS, diagram_readers


def read_diagrams(texts: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """For each text with its kind (mermaid, dbml): its tables with their columns, and how many references there are."""
    place = diagram_readers()
    script = place / "read.mjs"
    script.write_bytes((DIAGRAM_READERS / script.name).read_bytes())
    node = ENVIRONMENTS["node"][0] / "bin" / "node"
    done = subprocess.run(
        [str(node), str(script)], input=json.dumps(texts).encode(), env={}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers
