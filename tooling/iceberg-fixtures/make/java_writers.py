"""What Spark SQL can't write: made with Iceberg's Java API inside the same JVM, read back by Spark."""

import spark_session as s

JAVA = "Iceberg 1.11 Java API, read by Spark 3.5"


def generic_record(jvm, schema, values):
    record = jvm.org.apache.iceberg.data.GenericRecord.create(schema)
    for key, value in values.items():
        if value is not None:
            jvm.penstock.FixtureRecords.set(record, key, str(value))
    return record


def file_format(jvm, name):
    return getattr(jvm.org.apache.iceberg.FileFormat, name)


def partition_key(jvm, table, spec, values):
    if values is None:
        return None
    data = jvm.org.apache.iceberg.PartitionData(spec.partitionType())
    for index, value in enumerate(values):
        data.set(index, value)
    return data


def write_equality_delete(spark, name, path, columns, rows, kind="PARQUET", spec_id=None, partition=None):
    jvm = spark._jvm
    table = s.java_table(spark, name)
    spec = table.spec() if spec_id is None else table.specs().get(spec_id)
    names = jvm.java.util.ArrayList()
    for column in columns:
        names.add(column)
    delete_schema = table.schema().select(names)
    ids = spark.sparkContext._gateway.new_array(jvm.int, len(columns))
    for index, column in enumerate(columns):
        ids[index] = table.schema().findField(column).fieldId()
    factory = jvm.org.apache.iceberg.data.GenericAppenderFactory(table.schema(), spec, ids, delete_schema, None)
    location = f"{table.location()}/data/{path}"
    plain = table.io().newOutputFile(location)
    encrypted = jvm.org.apache.iceberg.encryption.EncryptedFiles.plainAsEncryptedOutput(plain)
    key = partition_key(jvm, table, spec, partition)
    writer = factory.newEqDeleteWriter(encrypted, file_format(jvm, kind), key)
    for row in rows:
        writer.write(generic_record(jvm, delete_schema, row))
    writer.close()
    table.newRowDelta().addDeletes(writer.toDeleteFile()).commit()
    spark.sql(f"REFRESH TABLE {s.table_name(name)}")


def equality_deletes(spark, create, insert):
    t = create("equality_deletes", "id BIGINT, region STRING, v STRING, n INT", "region",
               **{"write.spark.fanout.enabled": "true"})
    insert(t, "(1L, 'eu', 'a', 1), (2L, 'eu', 'b', NULL), (3L, 'us', 'c', NULL), (4L, 'us', NULL, 4)")
    name = "equality_deletes"
    # Of one partition, by a column of its own.
    write_equality_delete(spark, name, "eq-eu.parquet", ["id"], [{"id": 1}, {"id": 4}], partition=["eu"])
    # Rows written after a delete are not touched by it.
    insert(t, "(1L, 'eu', 'again', 10), (5L, 'ap', 'x', 5), (6L, 'ap', NULL, 6)")
    # NULL matches NULL; two columns.
    write_equality_delete(spark, name, "eq-null.parquet", ["v", "n"], [{"v": "c", "n": None}], partition=["us"])
    # A column that is dropped later.
    write_equality_delete(spark, name, "eq-dropped.parquet", ["n"], [{"n": 6}], partition=["ap"])
    # Spark 3.5 can't read the table once the column is gone: these are its rows from just before, less the column.
    latest = s.read(spark, name)
    for row in latest["rows"]:
        del row["n"]
    first = s.read(spark, name, {"snapshotId": s.snapshots(spark, name)[0][0]})
    spark.sql(f"ALTER TABLE {t} DROP COLUMN n")
    s.finish(spark, name, ["v2", "equality deletes", "dropped column", "null matches null"], [latest, first], JAVA)

    # Global: the delete's spec is unpartitioned, the data is partitioned.
    name = "equality_global"
    t = create(name, "id BIGINT, region STRING")
    insert(t, "(1L, 'eu'), (2L, 'us')")
    spark.sql(f"ALTER TABLE {t} ADD PARTITION FIELD region")
    insert(t, "(3L, 'eu'), (1L, 'us')")
    write_equality_delete(spark, name, "eq-global.parquet", ["id"], [{"id": 1}, {"id": 3}], spec_id=0)
    insert(t, "(3L, 'eu')")
    s.finish(spark, name, ["v2", "global equality deletes", "several specs"], writer=JAVA)


def avro_equality_deletes(spark, create, insert):
    name = "equality_avro"
    t = create(name, "id INT, v STRING")
    insert(t, "(1, 'a'), (2, 'b'), (3, NULL)")
    write_equality_delete(spark, name, "eq.avro", ["id"], [{"id": 2}], kind="AVRO")
    spark.sql(f"ALTER TABLE {t} ALTER COLUMN id TYPE BIGINT")
    write_equality_delete(spark, name, "eq2.avro", ["v"], [{"v": None}], kind="AVRO")
    s.finish(spark, name, ["v2", "Avro equality deletes", "promoted column"], writer=JAVA)


def defaults(spark, create, insert):
    jvm = spark._jvm
    name = "defaults"
    t = create(name, "id BIGINT, st STRUCT<x: INT>", version=3)
    insert(t, "(1L, named_struct('x', 1)), (2L, NULL)")
    types = jvm.org.apache.iceberg.types.Types
    literal = jvm.org.apache.iceberg.expressions.Literal
    (s.java_table(spark, name).updateSchema()
        .addColumn("i", types.IntegerType.get(), literal.of(7))
        .addColumn("big", types.LongType.get(), literal.of(9007199254740993).to(types.LongType.get()))
        .addColumn("s", types.StringType.get(), literal.of("dé'fault"))
        .addColumn("d", types.DecimalType.of(9, 2), literal.of(jvm.java.math.BigDecimal("14.20")))
        .addColumn("dt", types.DateType.get(), literal.of("2024-02-29").to(types.DateType.get()))
        .addColumn("ts", types.TimestampType.withZone(), literal.of("2024-02-29T01:02:03.000004+00:00").to(types.TimestampType.withZone()))
        .addColumn("tn", types.TimestampType.withoutZone(), literal.of("2024-02-29T01:02:03.000004").to(types.TimestampType.withoutZone()))
        .addColumn("f", types.DoubleType.get(), literal.of(1.5))
        .addColumn("bo", types.BooleanType.get(), literal.of(True))
        .addColumn("st", "y", types.IntegerType.get(), "", literal.of(42))
        .commit())
    spark.sql(f"REFRESH TABLE {t}")
    insert(t, "(3L, named_struct('x', 3, 'y', NULL), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)")
    s.finish(spark, name, ["v3", "initial defaults", "nested default"], writer=JAVA)


def promotions_v3(spark, create, insert):
    """Deletion vectors and row lineage over several commits, with an identity column that a spec change voids."""
    name = "lineage_v3"
    t = create(name, "id BIGINT, region STRING", "region", version=3,
               **{"write.delete.mode": "merge-on-read", "write.spark.fanout.enabled": "true"})
    insert(t, ", ".join(f"({i}L, 'r{i % 3}')" for i in range(30)))
    spark.sql(f"DELETE FROM {t} WHERE id < 9 AND id <> 4")
    spark.sql(f"ALTER TABLE {t} DROP PARTITION FIELD region")
    insert(t, "(1000L, 'r1')")
    spark.sql(f"DELETE FROM {t} WHERE id = 1000 OR id = 10")
    s.finish(spark, name, ["v3", "deletion vectors", "row lineage", "several specs"])
