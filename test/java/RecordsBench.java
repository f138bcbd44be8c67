import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;

/**
 * How fast Apache's own classes are: args WARM_UP_MS MEASURE_MS; each line of stdin is `label TAB operation TAB batch in base64`, each line of
 * stdout `label TAB nanoseconds per batch`, of processor time of all threads. Checksums are verified.
 */
public class RecordsBench {
  static final OperatingSystemMXBean PROCESS = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  static long sink = 0;

  public static void main(String[] args) throws Exception {
    long warmUpNanos = Long.parseLong(args[0]) * 1_000_000, measureNanos = Long.parseLong(args[1]) * 1_000_000;
    var in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    for (String line; (line = in.readLine()) != null; ) {
      String[] parts = line.split("\t");
      byte[] set = Base64.getDecoder().decode(parts[2]);
      Runnable work = parts[1].equals("encode") ? encode(set) : decode(set, parts[1]);
      for (long end = cpuNanos() + warmUpNanos; cpuNanos() < end; ) for (int i = 0; i < 20; i++) work.run();
      long start = cpuNanos(), spent = 0, done = 0;
      for (; spent < measureNanos; spent = cpuNanos() - start, done += 20) for (int i = 0; i < 20; i++) work.run();
      System.out.println(parts[0] + "\t" + spent / done);
    }
  }

  /** In steps of 10 ms. */
  static long cpuNanos() {
    return PROCESS.getProcessCpuTime();
  }

  static Runnable decode(byte[] set, String operation) {
    BufferSupplier buffers = BufferSupplier.create();
    return () -> {
      for (MutableRecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(set)).batches()) {
        batch.ensureValid();
        try (var iterator = batch.streamingIterator(buffers)) {
          while (iterator.hasNext()) {
            Record record = iterator.next();
            if (operation.equals("decode, key and value bytes")) {
              // As the consumer does: the deserializers get arrays.
              byte[] key = new byte[record.keySize()];
              record.key().get(key);
              byte[] value = new byte[record.valueSize()];
              record.value().get(value);
              sink += key[0] + value[0];
            } else sink += record.offset();
          }
        }
      }
    };
  }

  static Runnable encode(byte[] set) {
    List<byte[][]> records = new ArrayList<>();
    List<Header[]> headers = new ArrayList<>();
    List<Long> times = new ArrayList<>();
    for (Record record : MemoryRecords.readableRecords(ByteBuffer.wrap(set)).records()) {
      byte[] key = new byte[record.keySize()];
      record.key().get(key);
      byte[] value = new byte[record.valueSize()];
      record.value().get(value);
      records.add(new byte[][] {key, value});
      headers.add(record.headers());
      times.add(record.timestamp());
    }
    return () -> {
      var out = new ByteBufferOutputStream(16 * 1024);
      var builder = new MemoryRecordsBuilder(out, (byte) 2, Compression.NONE, TimestampType.CREATE_TIME, 0L, -1L, -1L, (short) -1, -1, false, false, -1,
          Integer.MAX_VALUE);
      for (int i = 0; i < records.size(); i++) builder.append(times.get(i), records.get(i)[0], records.get(i)[1], headers.get(i));
      sink += builder.build().sizeInBytes();
    };
  }
}
