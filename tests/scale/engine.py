"""Daft on a Ray cluster of two nodes, with a process for each: what it reads of a published table, as JSON.

Runs in an environment of its own (`make test-scale`), with nothing of ours on the path: what it is told stands in the
first argument, what it found is the last line of its output.
"""

import json
import os
import sys
import threading
import time
from typing import Any

os.environ |= {"RAY_DEDUP_LOGS": "0", "DAFT_PROGRESS_BAR": "0", "RAY_DISABLE_IMPORT_WARNING": "1", "DO_NOT_TRACK": "1"}
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "DAFT_ANALYTICS_ENABLED": "0"}

import daft
import psutil
import ray
from pyiceberg.catalog.sql import SqlCatalog
from ray.cluster_utils import Cluster

_STORE_BYTES = 200 << 20


class Memory:
    """The largest memory of each worker process while it is watched: resident, and of that its own.

    Pages of the shared object store are resident in each process that has touched them, and are no process's own.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.most: dict[int, tuple[int, int]] = {}
        self._raylets = [node.all_processes["raylet"][0].process.pid for node in cluster.list_all_nodes()]
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            for raylet in self._raylets:
                for process in psutil.Process(raylet).children(recursive=True):
                    self._note(process)
            time.sleep(0.1)

    def _note(self, process: psutil.Process) -> None:
        try:
            if not process.name().startswith("ray::"):
                return
            memory = process.memory_info()
        except psutil.Error:
            return
        resident, own = self.most.get(process.pid, (0, 0))
        self.most[process.pid] = (max(memory.rss, resident), max(memory.rss - memory.shared, own))


def frame(table: Any, snapshot: str | None) -> Any:
    """The table as Daft has it, at a snapshot by its name."""
    if snapshot is None:
        return daft.read_iceberg(table)
    return daft.read_iceberg(table, snapshot_id=table.snapshot_by_name(snapshot).snapshot_id)


def answer(table: Any, query: dict[str, Any]) -> Any:
    """What one query finds."""
    rows = frame(table, query.get("snapshot"))
    kind = query["kind"]
    if kind == "rows":
        return json.loads(json.dumps(rows.sort(query["sort"]).to_pylist(), default=str))
    if kind == "types":
        return {field.name: str(field.dtype) for field in rows.schema()}
    if kind == "count":
        return rows.where(daft.sql_expr(query["where"])).count_rows()
    if kind == "files":
        scan = table.scan(row_filter=query["where"]) if "where" in query else table.scan()
        return len(list(scan.plan_files()))
    grouped = rows.groupby(query["by"]).agg(
        daft.col(query["of"]).sum().alias("total"), daft.col(query["of"]).count().alias("rows")
    )
    return grouped.sort(query["by"]).to_pylist()


def main() -> None:
    """Answer the queries of the first argument."""
    asked = json.loads(sys.argv[1])
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": _STORE_BYTES})
    cluster.add_node(num_cpus=1, object_store_memory=_STORE_BYTES)
    ray.init(address=cluster.address, log_to_driver=False)
    daft.set_runner_ray(address=cluster.address)
    daft.set_execution_config(default_morsel_size=65_536)
    memory = Memory(cluster)
    catalog = SqlCatalog("dataforge", **asked["catalog"])
    answers: list[Any] = []
    seconds: list[float] = []
    for query in asked["queries"]:
        table = catalog.load_table(tuple(query["table"]))
        if query["kind"] == "write":
            made = catalog.create_table(tuple(query["into"]), table.schema())
            frame(table, query.get("snapshot")).where(daft.sql_expr(query["where"])).write_iceberg(made)
            answers.append(str(made.refresh().metadata.current_snapshot_id))
            continue
        began = time.monotonic()
        answers.append(answer(table, query))
        seconds.append(time.monotonic() - began)
    nodes = sum(node["Alive"] for node in ray.nodes())
    most = sorted(memory.most.values(), reverse=True)
    sys.stdout.write(json.dumps({"answers": answers, "nodes": nodes, "memory": most, "seconds": seconds}) + "\n")
    sys.stdout.flush()
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main()
