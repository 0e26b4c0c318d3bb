"""DuckDB's own httpfs on the same query: needs the PyPI packages duckdb and duckdb-extension-httpfs of one version."""
import glob
import json
import os
import resource
import sys
import time

import duckdb
import duckdb_extension_httpfs

task = json.loads(sys.argv[1])
root = os.path.dirname(duckdb_extension_httpfs.__file__)
(extension,) = glob.glob(f"{root}/extensions/v{duckdb.__version__}/httpfs.duckdb_extension")
started = time.perf_counter()
cpu = time.process_time()
connection = duckdb.connect(config={"memory_limit": "600MiB"})
connection.execute(f"LOAD '{extension}'")
connection.execute(f"ATTACH '{task['customers']}' AS local (READ_ONLY)")
connection.execute(
    f"""CREATE SECRET (TYPE s3, KEY_ID '{task["accessKeyId"]}', SECRET '{task["secretAccessKey"]}',
    REGION 'us-east-1', ENDPOINT '{task["endpoint"].removeprefix("http://")}', URL_STYLE 'path', USE_SSL false)"""
)
orders = f"read_parquet('s3://bench/orders/*/*.parquet', hive_partitioning = true, hive_types = {{'day': DATE}})"
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
