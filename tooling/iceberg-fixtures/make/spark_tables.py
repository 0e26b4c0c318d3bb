"""Tables that Spark writes by SQL, and tables of Iceberg's own Java writers, which Spark reads back."""

import time

import common
import java_writers
import spark_session as s

spark = s.start()
sql = spark.sql


def create(name, columns, partitioning="", version=2, **properties):
    options = {"format-version": str(version), "write.distribution-mode": "none", **properties}
    listed = ", ".join(f"'{key}'='{value}'" for key, value in options.items())
    partitioned = f"PARTITIONED BY ({partitioning})" if partitioning else ""
    sql(f"CREATE TABLE {s.table_name(name)} ({columns}) USING iceberg {partitioned} TBLPROPERTIES ({listed})")
    return s.table_name(name)


def insert(table, values):
    # Spark sorts nothing here: one file per partition of each insert, in the order of the values.
    sql(f"INSERT INTO {table} SELECT /*+ COALESCE(1) */ * FROM VALUES {values}")


ORDERS = "id BIGINT, region STRING, amount DECIMAL(9,2), placed TIMESTAMP"


def orders_v1():
    t = create("orders_v1", ORDERS, "region, days(placed)", version=1, **{"write.spark.fanout.enabled": "true"})
    insert(t, """(9007199254740993L, 'eu', 14.20BD, timestamp'2024-01-01 10:00:00'),
                 (2L, 'eu', -3.05BD, timestamp'2024-01-02 00:00:00'),
                 (3L, 'us', NULL, timestamp'1969-12-31 23:59:59.999999')""")
    insert(t, """(4L, NULL, 99.99BD, NULL), (5L, 'a/b=c d%é', 0.00BD, timestamp'2024-01-01 00:00:00')""")
    snaps = s.snapshots(spark, "orders_v1")
    s.finish(spark, "orders_v1", ["v1", "identity", "day", "null partition", "time travel"],
             [s.read(spark, "orders_v1"), s.read(spark, "orders_v1", {"snapshotId": snaps[0][0]}),
              s.read(spark, "orders_v1", {"timestampMs": snaps[0][1]})])


def empty():
    create("empty", ORDERS)
    s.finish(spark, "empty", ["v2", "no snapshot"])


VALUES_16 = ", ".join(
    f"({i}L, {i * 7 - 30}, '{word}', {i}.{i:02d}BD, date'{1965 + i * 2}-0{1 + i % 9}-1{i % 10}', "
    f"timestamp'{1968 + i}-12-31 2{i % 4}:59:59.{i:06d}', timestamp_ntz'19{60 + i}-0{1 + i % 9}-01 0{i % 10}:30:00', X'{i:02x}ff{i:02x}')"
    for i, word in enumerate(
        ["iceberg", "", "ab", "abc", "abcd", "zürich", "zürich2", "😀😀😀x", "￿", "\U0001f600", "naïve", "日本語テキスト",
         "aaaa", "aaab", "b", "bb"])
) + ", (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
WIDE = "l BIGINT, i INT, s STRING, d DECIMAL(9,2), dt DATE, ts TIMESTAMP, tn TIMESTAMP_NTZ, b BINARY"


def transforms():
    for name, partitioning in {
        "t_identity": "i", "t_identity_date": "dt", "t_identity_decimal": "d", "t_identity_string": "s",
        "t_bucket_long": "bucket(4, l)", "t_bucket_int": "bucket(3, i)", "t_bucket_string": "bucket(4, s)",
        "t_bucket_decimal": "bucket(5, d)", "t_bucket_date": "bucket(4, dt)", "t_bucket_ts": "bucket(4, ts)",
        "t_bucket_binary": "bucket(4, b)", "t_truncate_long": "truncate(4, l)", "t_truncate_int": "truncate(10, i)",
        "t_truncate_string": "truncate(2, s)", "t_truncate_decimal": "truncate(250, d)",
        "t_truncate_binary": "truncate(1, b)", "t_year": "years(ts)", "t_month": "months(dt)", "t_day": "days(tn)",
        "t_hour": "hours(ts)", "t_many": "bucket(2, l), truncate(1, s), months(ts)",
    }.items():
        t = create(name, WIDE, partitioning, **{"write.spark.fanout.enabled": "true",
                                                "write.parquet.compression-codec": "snappy"})
        insert(t, VALUES_16)
        s.finish(spark, name, ["v2", f"partitioned by {partitioning}"])


def void_and_spec_evolution():
    t = create("spec_evolution", ORDERS, "region", version=1)
    insert(t, "(1L, 'eu', 1.00BD, timestamp'2024-01-01 10:00:00')")
    sql(f"ALTER TABLE {t} DROP PARTITION FIELD region")
    insert(t, "(2L, 'eu', 2.00BD, timestamp'2024-02-01 10:00:00'), (3L, 'us', 3.00BD, NULL)")
    sql(f"ALTER TABLE {t} ADD PARTITION FIELD months(placed) AS placed_month")
    insert(t, "(4L, 'us', 4.00BD, timestamp'2024-03-01 10:00:00')")
    s.finish(spark, "spec_evolution", ["v1", "void", "month", "several specs"])


def floats():
    t = create("floats", "id INT, f FLOAT, d DOUBLE", "d", **{"write.spark.fanout.enabled": "true"})
    insert(t, """(1, float('NaN'), double('NaN')), (2, float('1.5'), 2.5D), (3, NULL, NULL),
                 (4, float('-0.0'), double('-0.0')), (5, float('0.0'), 0.0D), (6, float('Infinity'), double('-Infinity')),
                 (7, float('NaN'), 2.5D)""")
    s.finish(spark, "floats", ["v2", "NaN partition", "null partition", "negative zero"])
    t = create("floats_plain", "id INT, f FLOAT, d DOUBLE")
    insert(t, "(1, float('NaN'), double('NaN')), (2, float('1.5'), 2.5D)")
    insert(t, "(3, float('NaN'), double('NaN'))")
    insert(t, "(4, float('7.25'), -1D), (5, NULL, NULL)")
    s.finish(spark, "floats_plain", ["v2", "NaN counts"])


def long_strings():
    t = create("long_strings", "id INT, s STRING, b BINARY")
    for i, text in enumerate(["a" * 40, "\U0001f600" * 20, "￿" * 20, "\U0010ffff" * 17, "é" * 16 + "z"]):
        insert(t, f"({i}, '{text}', X'{'ff' * 20 if i % 2 else '0a' * 20}')")
    s.finish(spark, "long_strings", ["v2", "truncated bounds"])


def evolution():
    t = create("evolution", """id INT NOT NULL, name STRING, price FLOAT, amount DECIMAL(5,2), gone STRING,
        person STRUCT<first: STRING, last: STRING, age: INT>, tags ARRAY<STRING>, scores MAP<STRING, INT>,
        points ARRAY<STRUCT<x: INT, y: INT>>""")
    insert(t, """(1, 'one', float('1.5'), 1.25BD, 'g1', struct('Ada', 'L', 36), array('a', 'b'), map('k', 1),
                  array(struct(1, 2))), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""")
    sql(f"ALTER TABLE {t} RENAME COLUMN name TO title")
    sql(f"ALTER TABLE {t} ALTER COLUMN id TYPE BIGINT")
    sql(f"ALTER TABLE {t} ALTER COLUMN price TYPE DOUBLE")
    sql(f"ALTER TABLE {t} ALTER COLUMN amount TYPE DECIMAL(12,2)")
    sql(f"ALTER TABLE {t} DROP COLUMN gone")
    sql(f"ALTER TABLE {t} ADD COLUMN gone BIGINT")
    sql(f"ALTER TABLE {t} ADD COLUMN added STRING AFTER id")
    sql(f"ALTER TABLE {t} RENAME COLUMN person.first TO given")
    sql(f"ALTER TABLE {t} ADD COLUMN person.middle STRING AFTER given")
    sql(f"ALTER TABLE {t} ALTER COLUMN person.age TYPE BIGINT")
    sql(f"ALTER TABLE {t} RENAME COLUMN points.element.x TO east")
    sql(f"ALTER TABLE {t} ALTER COLUMN scores.value TYPE BIGINT")
    sql(f"ALTER TABLE {t} ALTER COLUMN title FIRST")
    insert(t, """('three', 3000000000L, 'new', 3.25D, 1234567890.12BD, struct('Bob', 'M', 'K', 5000000000L),
                 array('c'), map('z', 5000000000L), array(struct(5, 6)), 77L)""")
    first = s.snapshots(spark, "evolution")[0][0]
    s.finish(spark, "evolution", ["v2", "rename", "reorder", "drop", "add", "promote", "nested"],
             [s.read(spark, "evolution"), s.read(spark, "evolution", {"snapshotId": first})])


def branches():
    t = create("branches", "id INT, v STRING")
    insert(t, "(1, 'a'), (2, 'b')")
    sql(f"ALTER TABLE {t} CREATE TAG first")
    first = s.snapshots(spark, "branches")[0]
    time.sleep(0.02)
    sql(f"ALTER TABLE {t} ADD COLUMN extra INT")
    insert(t, "(3, 'c', 30)")
    sql(f"ALTER TABLE {t} CREATE BRANCH audit")
    sql(f"INSERT INTO {t}.branch_audit VALUES (4, 'd', 40)")
    time.sleep(0.02)
    sql(f"INSERT OVERWRITE {t} VALUES (5, 'e', 50)")
    s.finish(spark, "branches", ["v2", "branch", "tag", "time travel", "overwrite"], [
        s.read(spark, "branches"), s.read(spark, "branches", {"tag": "first"}),
        s.read(spark, "branches", {"branch": "audit"}), s.read(spark, "branches", {"branch": "main"}),
        s.read(spark, "branches", {"snapshotId": first[0]}), s.read(spark, "branches", {"timestampMs": first[1]})])


def row_deletes():
    for name, version in [("position_deletes", 2), ("deletion_vectors", 3)]:
        mode = {f"write.{op}.mode": "merge-on-read" for op in ["delete", "update", "merge"]}
        t = create(name, "id BIGINT, region STRING, v STRING", "region", version=version,
                   **mode, **{"write.spark.fanout.enabled": "true"})
        insert(t, ", ".join(f"({i}L, '{'eu' if i % 2 else 'us'}', 'v{i}')" for i in range(20)))
        sql(f"DELETE FROM {t} WHERE id IN (1, 3, 4)")
        sql(f"DELETE FROM {t} WHERE id IN (5, 18)")
        sql(f"UPDATE {t} SET v = 'changed' WHERE id = 7")
        insert(t, "(1L, 'eu', 'again'), (100L, 'ap', 'untouched')")
        first = s.snapshots(spark, name)[0][0]
        s.finish(spark, name, [f"v{version}", name.replace("_", " ")],
                 [s.read(spark, name), s.read(spark, name, {"snapshotId": first})])


def upgraded():
    """Position deletes of v2, then the table becomes v3 and gets deletion vectors on top."""
    mode = {f"write.{op}.mode": "merge-on-read" for op in ["delete", "update", "merge"]}
    t = create("upgraded", "id BIGINT, v STRING", version=2, **mode)
    insert(t, ", ".join(f"({i}L, 'v{i}')" for i in range(12)))
    insert(t, ", ".join(f"({i}L, 'v{i}')" for i in range(20, 26)))
    sql(f"DELETE FROM {t} WHERE id IN (2, 21)")
    sql(f"ALTER TABLE {t} SET TBLPROPERTIES ('format-version'='3')")
    sql(f"DELETE FROM {t} WHERE id = 5")
    s.finish(spark, "upgraded", ["v3", "position deletes under deletion vectors"])


def avro_and_orc():
    mode = {f"write.{op}.mode": "merge-on-read" for op in ["delete", "update", "merge"]}
    t = create("avro_data", "id BIGINT, s STRING, d DECIMAL(9,2), dt DATE, ts TIMESTAMP, b BINARY, st STRUCT<x: INT, y: STRING>, "
               "li ARRAY<BIGINT>, m MAP<STRING, DOUBLE>, mi MAP<INT, STRING>",
               **mode, **{"write.format.default": "avro", "write.delete.format.default": "avro",
                          "write.avro.compression-codec": "snappy"})
    insert(t, """(9007199254740993L, 'é', 14.20BD, date'1969-12-31', timestamp'2024-05-05 05:05:05.123456', X'00ff',
                  struct(1, 'y'), array(1L, NULL), map('k', 1.5D), map(7, 'seven')),
                 (2L, NULL, -0.01BD, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3L, 'x', 3BD, NULL, NULL, X'', NULL, array(), map(), map())""")
    sql(f"DELETE FROM {t} WHERE id = 2")
    sql(f"ALTER TABLE {t} RENAME COLUMN s TO text")
    sql(f"ALTER TABLE {t} ADD COLUMN late INT")
    s.finish(spark, "avro_data", ["v2", "Avro data", "Avro position deletes", "rename"])
    t = create("orc_data", "id BIGINT", **{"write.format.default": "orc"})
    insert(t, "(1L)")
    s.finish(spark, "orc_data", ["v2", "ORC, to be refused"])


def mapped():
    """Files that know no field ids: written by Spark's own Parquet writer, then registered by add_files."""
    folder = f"{common.LOCATION}/mapped/data"
    t = create("mapped", "id BIGINT, name STRING, person STRUCT<first: STRING, age: INT>")
    spark.sql("SELECT /*+ COALESCE(1) */ * FROM VALUES (1L, 'one', named_struct('first', 'Ada', 'age', 36)), "
              "(2L, NULL, NULL) AS t(id, name, person)").write.mode("append").parquet(f"{folder}/import")
    sql(f"CALL {s.CATALOG}.system.add_files(table => '{common.NAMESPACE}.mapped', source_table => '`parquet`.`{folder}/import`')")
    sql(f"ALTER TABLE {t} RENAME COLUMN name TO title")
    sql(f"ALTER TABLE {t} ADD COLUMN extra INT")
    insert(t, "(3L, 'three', named_struct('first', 'Bob', 'age', 5), 30)")
    s.finish(spark, "mapped", ["v2", "name mapping", "rename"])


def partition_columns_missing():
    """Imported Hive files: the identity-partition column is in the path and the metadata, not in the file."""
    folder = f"{common.LOCATION}/hive_import/data/import"
    create("hive_import", "id BIGINT, region STRING", "region")
    (spark.sql("SELECT * FROM VALUES (1L, 'eu'), (2L, 'us'), (3L, 'eu') AS t(id, region)").coalesce(1)
        .write.partitionBy("region").mode("append").parquet(folder))
    sql(f"CALL {s.CATALOG}.system.add_files(table => '{common.NAMESPACE}.hive_import', source_table => '`parquet`.`{folder}`')")
    s.finish(spark, "hive_import", ["v2", "name mapping", "constant from identity partition"])


def gzip_metadata():
    t = create("gzip_metadata", ORDERS, **{"write.metadata.compression-codec": "gzip"})
    insert(t, "(1L, 'eu', 1BD, NULL)")
    s.finish(spark, "gzip_metadata", ["v2", "gzip metadata"])


orders_v1()
empty()
transforms()
void_and_spec_evolution()
floats()
long_strings()
evolution()
branches()
row_deletes()
upgraded()
avro_and_orc()
mapped()
partition_columns_missing()
gzip_metadata()
java_writers.equality_deletes(spark, create, insert)
java_writers.avro_equality_deletes(spark, create, insert)
java_writers.defaults(spark, create, insert)
java_writers.promotions_v3(spark, create, insert)
