"""A Spark session with the Iceberg runtime, whose s3:// is a local folder."""

import os

from pyspark.sql import SparkSession
from pyspark.sql.types import MapType, StructType, ArrayType

import common

CATALOG = "local"


def start():
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.driver.extraClassPath", os.environ["FIXTURE_CLASSES"] + ":" + os.environ["ICEBERG_JAR"])
        .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
        .config(f"spark.sql.catalog.{CATALOG}", "org.apache.iceberg.spark.SparkCatalog")
        .config(f"spark.sql.catalog.{CATALOG}.type", "hadoop")
        .config(f"spark.sql.catalog.{CATALOG}.warehouse", "s3://fixtures")
        .config("spark.hadoop.fs.s3.impl", "penstock.FixtureFileSystem")
        .config("spark.sql.defaultCatalog", CATALOG)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
        .config("spark.driver.memory", "1g")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def table_name(name):
    return f"{CATALOG}.{common.NAMESPACE}.{name}"


def java_table(spark, name):
    """The table as an org.apache.iceberg.Table."""
    jvm = spark._jvm
    spark.sql(f"REFRESH TABLE {table_name(name)}")
    return jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, table_name(name))


def convert(value, kind):
    if value is None:
        return None
    if isinstance(kind, StructType):
        return {field.name: convert(value[field.name], field.dataType) for field in kind.fields}
    if isinstance(kind, ArrayType):
        return [convert(item, kind.elementType) for item in value]
    if isinstance(kind, MapType):
        return [[convert(k, kind.keyType), convert(v, kind.valueType)] for k, v in value.items()]
    if kind.typeName() == "timestamp":
        # Spark gives the session's wall clock, which is UTC.
        return common.canonical(value.replace(tzinfo=common.UTC))
    return common.canonical(value)


def rows_of(frame):
    return [convert(row, frame.schema) for row in frame.collect()]


def read(spark, name, at=None):
    at = at or {}
    reader = spark.read.format("iceberg")
    if "snapshotId" in at:
        reader = reader.option("snapshot-id", at["snapshotId"])
    elif "timestampMs" in at:
        reader = reader.option("as-of-timestamp", str(at["timestampMs"]))
    elif "tag" in at:
        reader = reader.option("tag", at["tag"])
    elif "branch" in at:
        reader = reader.option("branch", at["branch"])
    if "tag" in at or "branch" in at:
        shown = {"ref": at.get("tag") or at.get("branch")}
    else:
        shown = at
    return {"at": shown, "rows": rows_of(reader.load(table_name(name)))}


def snapshots(spark, name):
    """(snapshot id, commit time in ms), oldest first."""
    rows = spark.sql(
        f"SELECT snapshot_id, committed_at FROM {table_name(name)}.snapshots ORDER BY committed_at"
    ).collect()
    return [(str(r[0]), int(r[1].replace(tzinfo=common.UTC).timestamp() * 1000)) for r in rows]


def finish(spark, name, covers, reads=None, writer="Spark 3.5, Iceberg 1.11"):
    table = java_table(spark, name)
    operations = table.operations()
    metadata = operations.current()
    common.write_expected(
        name,
        metadata.metadataFileLocation(),
        metadata.formatVersion(),
        writer,
        covers,
        reads if reads is not None else [read(spark, name)],
    )
