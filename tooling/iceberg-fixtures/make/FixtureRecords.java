package penstock;

import org.apache.iceberg.data.GenericRecord;
import org.apache.iceberg.types.Conversions;

/** Sets fields by text: the bridge from Python has no long of its own for small numbers. */
public class FixtureRecords {
  public static void set(GenericRecord record, String field, String text) {
    record.setField(field, Conversions.fromPartitionString(record.struct().fieldType(field), text));
  }
}
