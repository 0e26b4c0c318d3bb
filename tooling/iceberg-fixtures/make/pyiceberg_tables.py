"""Tables that PyIceberg writes: types that Spark lacks (uuid, time, fixed), another hand's metadata and manifests."""

import datetime as dt
import decimal
import uuid

import pyarrow as pa
from pyarrow import fs
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, HourTransform, IdentityTransform, MonthTransform, TruncateTransform
from pyiceberg.types import (BinaryType, BooleanType, DateType, DecimalType, DoubleType, FixedType, FloatType, IntegerType,
                             ListType, LongType, MapType, NestedField, StringType, StructType, TimestampType,
                             TimestamptzType, TimeType, UUIDType)

import common


class FixtureIO(PyArrowFileIO):
    """s3://BUCKET/KEY is the local file ROOT/BUCKET/KEY."""

    def _initialize_fs(self, scheme, netloc=None):
        return fs.SubTreeFileSystem(str(common.ROOT), fs.LocalFileSystem())

    def new_output(self, location):
        common.local(location).parent.mkdir(parents=True, exist_ok=True)
        return super().new_output(location)


catalog = SqlCatalog("fixtures", uri="sqlite:///:memory:", warehouse="s3://fixtures",
                     **{"py-io-impl": f"{__name__}.FixtureIO"})
catalog.create_namespace(common.NAMESPACE)


def create(name, schema, spec=PartitionSpec(), version=2, **properties):
    return catalog.create_table(f"{common.NAMESPACE}.{name}", schema, location=f"{common.LOCATION}/{name}",
                                partition_spec=spec, properties={"format-version": str(version), **properties})


def convert(value, kind):
    if value is None:
        return None
    if pa.types.is_struct(kind):
        return {field.name: convert(value[field.name], field.type) for field in kind}
    if pa.types.is_map(kind):
        return [[convert(k, kind.key_type), convert(v, kind.item_type)] for k, v in value]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [convert(item, kind.value_type) for item in value]
    if isinstance(value, uuid.UUID):
        return str(value)
    return common.canonical(value)


def rows_of(arrow):
    kinds = {field.name: field.type for field in arrow.schema}
    return [{name: convert(value, kinds[name]) for name, value in row.items()} for row in arrow.to_pylist()]


def finish(table, covers, ats=({},)):
    table.refresh()
    reads = []
    for at in ats:
        snapshot = int(at["snapshotId"]) if "snapshotId" in at else None
        if "ref" in at:  # A tag: PyIceberg reads a branch with the columns of its snapshot, too.
            snapshot = table.metadata.refs[at["ref"]].snapshot_id
        reads.append({"at": at, "rows": rows_of(table.scan(snapshot_id=snapshot).to_arrow())})
    common.write_expected(table.name()[-1], table.metadata_location, table.format_version, "PyIceberg 0.12", covers, reads)


ALL = Schema(
    NestedField(1, "bo", BooleanType()), NestedField(2, "i", IntegerType()), NestedField(3, "l", LongType()),
    NestedField(4, "f", FloatType()), NestedField(5, "d", DoubleType()), NestedField(6, "de", DecimalType(38, 10)),
    NestedField(7, "da", DateType()), NestedField(8, "ti", TimeType()), NestedField(9, "ts", TimestampType()),
    NestedField(10, "tz", TimestamptzType()), NestedField(11, "s", StringType()), NestedField(12, "u", UUIDType()),
    NestedField(13, "fx", FixedType(4)), NestedField(14, "b", BinaryType()),
    NestedField(15, "li", ListType(16, LongType(), element_required=False)),
    NestedField(17, "m", MapType(18, StringType(), 19, DecimalType(9, 2), value_required=False)),
    NestedField(20, "st", StructType(NestedField(21, "x", IntegerType()), NestedField(22, "u", UUIDType()))),
)


def all_rows():
    wall = dt.datetime(1969, 12, 31, 23, 59, 59, 999999)
    full = {
        "bo": True, "i": -2147483648, "l": 9007199254740993, "f": 1.5, "d": float("nan"),
        "de": decimal.Decimal("-1234567890123456789012345678.0123456789"), "da": dt.date(1969, 12, 31),
        "ti": dt.time(23, 59, 59, 999999), "ts": wall, "tz": wall.replace(tzinfo=common.UTC), "s": "日本😀",
        "u": uuid.UUID("f79c3e09-677c-4bbd-a479-3f349cb785e7").bytes, "fx": b"\x00\xff\x7f\x80", "b": b"\x00\xff",
        "li": [9007199254740993, None], "m": [("k", decimal.Decimal("14.20")), ("n", None)],
        "st": {"x": 1, "u": uuid.UUID(int=1).bytes},
    }
    second = {
        **full, "bo": False, "i": 2147483647, "l": -9223372036854775808, "f": float("inf"), "d": -0.0,
        "de": decimal.Decimal("0.0000000001"), "da": dt.date(2024, 2, 29), "ti": dt.time(0, 0), "s": "",
        "ts": dt.datetime(2024, 2, 29, 12), "tz": dt.datetime(2024, 2, 29, 12, tzinfo=common.UTC),
        "u": uuid.UUID(int=0).bytes, "fx": b"\x00\x00\x00\x00", "b": b"", "li": [], "m": [], "st": None,
    }
    return [full, second, {key: None for key in full}]


def arrow(table, rows):
    """Rows as Arrow, which can't make its uuid type from Python values: from_storage does."""
    target, columns = table.schema().as_arrow(), []
    for field in target:
        values = [row[field.name] for row in rows]
        if isinstance(field.type, pa.UuidType):
            columns.append(pa.ExtensionArray.from_storage(pa.uuid(), pa.array(values, pa.binary(16))))
        elif pa.types.is_struct(field.type):
            x = pa.array([value and value["x"] for value in values], pa.int32())
            u = pa.ExtensionArray.from_storage(
                pa.uuid(), pa.array([value and value["u"] for value in values], pa.binary(16)))
            columns.append(pa.StructArray.from_arrays([x, u], fields=list(field.type), mask=pa.array(
                [value is None for value in values])))
        else:
            columns.append(pa.array(values, field.type))
    return pa.Table.from_arrays(columns, schema=target)


def types():
    table = create("types", ALL)
    for row in all_rows():
        table.append(arrow(table, [row]))
    finish(table, ["v2", "all types of v2", "bounds of all types"])


def partitioned():
    spec = PartitionSpec(
        PartitionField(12, 1000, BucketTransform(4), "u_bucket"), PartitionField(8, 1001, IdentityTransform(), "ti"),
        PartitionField(10, 1002, HourTransform(), "tz_hour"), PartitionField(11, 1003, TruncateTransform(1), "s_trunc"))
    table = create("py_partitioned", ALL, spec)
    table.append(arrow(table, all_rows()))
    finish(table, ["v2", "bucket of uuid", "identity of time", "hour of timestamptz", "truncate"])
    table = create("py_month_v1", ALL, PartitionSpec(PartitionField(7, 1000, MonthTransform(), "da_month")), version=1)
    table.append(arrow(table, all_rows()))
    finish(table, ["v1", "month before 1970"])


def history():
    schema = Schema(NestedField(1, "id", LongType()), NestedField(2, "v", StringType()))
    table = create("py_history", schema)
    for index in range(3):
        table.append(pa.Table.from_pylist([{"id": index, "v": f"v{index}"}], schema=schema.as_arrow()))
    first = table.metadata.snapshots[0].snapshot_id
    with table.manage_snapshots() as change:
        change.create_tag(first, "start")
        change.create_branch(table.metadata.snapshots[1].snapshot_id, "side")
    table.delete("id = 1")
    with table.update_schema() as change:
        change.add_column("later", IntegerType())
    finish(table, ["v2", "copy-on-write delete", "tag"],
           [{}, {"snapshotId": str(first)}, {"ref": "start"}])


types()
partitioned()
history()
