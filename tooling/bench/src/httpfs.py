"""DuckDB's own httpfs, or its iceberg extension, on the same query: needs the PyPI packages duckdb and
duckdb-extension-httpfs (and -avro, -iceberg) of one version."""
import glob
import importlib
import json
import os
import resource
import sys
import time

import duckdb

task = json.loads(sys.argv[1])
names = ["httpfs", "avro", "iceberg"] if task["kind"] == "extension" else ["httpfs"]
roots = [(name, os.path.dirname(importlib.import_module(f"duckdb_extension_{name}").__file__)) for name in names]
extensions = [
    glob.glob(f"{root}/extensions/v{duckdb.__version__}/{name}.duckdb_extension")[0] for name, root in roots
]
started = time.perf_counter()
cpu = time.process_time()
connection = duckdb.connect(config={"memory_limit": "600MiB"})
for extension in extensions:
    connection.execute(f"LOAD '{extension}'")
connection.execute(f"ATTACH '{task['customers']}' AS local (READ_ONLY)")
connection.execute(
    f"""CREATE SECRET (TYPE s3, KEY_ID '{task["accessKeyId"]}', SECRET '{task["secretAccessKey"]}',
    REGION 'us-east-1', ENDPOINT '{task["endpoint"].removeprefix("http://")}', URL_STYLE 'path', USE_SSL false)"""
)
orders = f"read_parquet('s3://bench/orders/*/*.parquet', hive_partitioning = true, hive_types = {{'day': DATE}})"
if task["kind"] == "extension":
    orders = f"iceberg_scan('{task['iceberg']}')"
sql = task["sql"].replace("{orders}", orders).replace("{customers}", "local.customers")
rows = connection.execute(sql).fetchall()
print(
    json.dumps(
        {
            "ms": (time.perf_counter() - started) * 1000,
            "cpuMs": (time.process_time() - cpu) * 1000,
            "rows": len(rows),
            "peakMemory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
    )
)
