"""What the makers of the fixture tables share: the folder, and the canonical JSON of values."""

import datetime as dt
import decimal
import json
import math
import os
import pathlib

ROOT = pathlib.Path(os.environ["FIXTURE_ROOT"])
EXPECTED = pathlib.Path(os.environ["FIXTURE_EXPECTED"])
NAMESPACE = "iceberg"
LOCATION = f"s3://fixtures/{NAMESPACE}"
UTC = dt.timezone.utc


def local(path):
    """The local file of an s3:// path."""
    return ROOT / path.split("://", 1)[1]


def canonical(value, kind=""):
    """Integers and decimals as digits, times as ISO 8601, bytes as hex: no value is rounded or reordered."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, decimal.Decimal)):
        return format(value, "f") if isinstance(value, decimal.Decimal) else str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        return value
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time):
        return value.strftime("%H:%M:%S.%f")
    if isinstance(value, dict):
        if kind == "map":
            return [[canonical(key), canonical(item)] for key, item in value.items()]
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    return str(value)


def sort_rows(rows):
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True, ensure_ascii=False))


def write_expected(name, metadata, version, writer, covers, reads):
    """reads: [{"at": {}, "rows": [...]}]; `at` is {} | {"snapshotId"} | {"timestampMs"} | {"ref"}."""
    EXPECTED.mkdir(parents=True, exist_ok=True)
    head = {"table": name, "metadata": metadata, "formatVersion": version, "writer": writer, "covers": covers}
    lines = [json.dumps(head, ensure_ascii=False)]
    for read in reads:
        lines.append(json.dumps({"at": read["at"], "rows": len(read["rows"])}, ensure_ascii=False))
        lines += [json.dumps(row, ensure_ascii=False) for row in sort_rows(read["rows"])]
    (EXPECTED / f"{name}.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{name}: {[len(read['rows']) for read in reads]} rows", flush=True)
