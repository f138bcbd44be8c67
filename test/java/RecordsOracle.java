import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.Base64;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;

/**
 * Apache's MemoryRecords as judge of record sets. {read: [base64]} is answered by {read: [{batches, refused}]}: what it reads, up
 * to the first batch that it refuses, and why. {write: [{magic, codec, level, records …}]} by {written: [base64]}.
 */
public class RecordsOracle {
  static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    var in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    for (String line; (line = in.readLine()) != null; ) {
      ObjectNode answer = JSON.createObjectNode();
      try {
        JsonNode question = JSON.readTree(line);
        ArrayNode read = answer.putArray("read");
        for (JsonNode set : question.path("read")) read.add(read(Base64.getDecoder().decode(set.asText())));
        ArrayNode written = answer.putArray("written");
        for (JsonNode set : question.path("write")) written.add(Base64.getEncoder().encodeToString(write(set)));
      } catch (Throwable error) {
        answer.put("error", error.toString());
      }
      System.out.println(JSON.writeValueAsString(answer));
    }
  }

  static ObjectNode read(byte[] set) {
    ObjectNode result = JSON.createObjectNode();
    ArrayNode batches = result.putArray("batches");
    result.putNull("refused");
    try {
      for (MutableRecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(set)).batches()) batches.add(read(batch));
    } catch (Throwable refused) {
      result.put("refused", refused.toString());
    }
    return result;
  }

  static ObjectNode read(MutableRecordBatch batch) {
    batch.ensureValid();
    ObjectNode result = JSON.createObjectNode();
    result.put("magic", batch.magic());
    result.put("codec", batch.compressionType().name);
    result.put("lastOffset", String.valueOf(batch.lastOffset()));
    result.put("maxTimestamp", String.valueOf(batch.maxTimestamp()));
    result.put("logAppend", batch.timestampType() == TimestampType.LOG_APPEND_TIME);
    result.put("producerId", String.valueOf(batch.producerId()));
    result.put("producerEpoch", batch.producerEpoch());
    result.put("baseSequence", batch.baseSequence());
    result.put("lastSequence", batch.lastSequence());
    result.put("transactional", batch.isTransactional());
    result.put("control", batch.isControlBatch());
    result.put("leaderEpoch", batch.partitionLeaderEpoch());
    result.put("deleteHorizon", batch.deleteHorizonMs().isPresent());
    ArrayNode records = result.putArray("records");
    try (var iterator = batch.streamingIterator(BufferSupplier.NO_CACHING)) {
      while (iterator.hasNext()) {
        Record record = iterator.next();
        record.ensureValid();
        ArrayNode row = records.addArray();
        row.add(String.valueOf(record.offset()));
        row.add(String.valueOf(record.timestamp()));
        row.add(base64(record.key()));
        row.add(base64(record.value()));
        ArrayNode headers = row.addArray();
        for (Header header : record.headers())
          headers.addArray().add(header.key()).add(header.value() == null ? null : Base64.getEncoder().encodeToString(header.value()));
      }
    }
    return result;
  }

  static String base64(ByteBuffer bytes) {
    if (bytes == null) return null;
    byte[] copy = new byte[bytes.remaining()];
    bytes.duplicate().get(copy);
    return Base64.getEncoder().encodeToString(copy);
  }

  static byte[] write(JsonNode set) {
    var out = new ByteBufferOutputStream(1024);
    boolean logAppend = set.hasNonNull("logAppendTime");
    var builder = new MemoryRecordsBuilder(out, (byte) set.get("magic").asInt(), compression(set), 
        logAppend ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME, set.path("baseOffset").asLong(0), logAppend ? set.get("logAppendTime").asLong() : -1L,
        set.path("producerId").asLong(-1), (short) set.path("producerEpoch").asInt(-1), set.path("baseSequence").asInt(-1),
        set.path("transactional").asBoolean(false), false, set.path("leaderEpoch").asInt(-1), Integer.MAX_VALUE);
    for (JsonNode record : set.get("records")) {
      JsonNode list = record.get(3);
      Header[] headers = new Header[list.size()];
      for (int i = 0; i < headers.length; i++) headers[i] = new RecordHeader(list.get(i).get(0).asText(), bytes(list.get(i).get(1)));
      builder.append(record.get(0).asLong(), bytes(record.get(1)), bytes(record.get(2)), headers);
    }
    ByteBuffer buffer = builder.build().buffer();
    byte[] written = new byte[buffer.remaining()];
    buffer.duplicate().get(written);
    return written;
  }

  static Compression compression(JsonNode set) {
    String codec = set.get("codec").asText();
    if (!set.hasNonNull("level")) return Compression.of(codec).build();
    int level = set.get("level").asInt();
    return switch (codec) {
      case "gzip" -> Compression.gzip().level(level).build();
      case "lz4" -> Compression.lz4().level(level).build();
      case "zstd" -> Compression.zstd().level(level).build();
      default -> throw new IllegalArgumentException(codec + " has no levels");
    };
  }

  static byte[] bytes(JsonNode base64) {
    return base64.isNull() ? null : Base64.getDecoder().decode(base64.asText());
  }
}
