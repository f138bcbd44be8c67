// The Java client as the other side of a conversation: writes and reads records as it is told, one JSON line per question.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Clients {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (String line; (line = in.readLine()) != null; ) {
            ObjectNode answer = JSON.createObjectNode();
            try {
                JsonNode question = JSON.readTree(line);
                if ("produce".equals(question.get("do").asText())) produce(question, answer);
                else if ("consume".equals(question.get("do").asText())) consume(question, answer);
                else offsets(question, answer);
            } catch (Throwable e) {
                answer.put("error", e.toString());
            }
            out.println(JSON.writeValueAsString(answer));
        }
    }

    /** {do: produce, config, topic, partition, records: [{key, value, timestamp, headers: [[name, value]]}]}; bytes in base64 or null. */
    private static void produce(JsonNode question, ObjectNode answer) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(properties(question.get("config")), new ByteArraySerializer(), new ByteArraySerializer())) {
            if (question.path("transaction").isTextual()) producer.initTransactions();
            if (question.path("transaction").isTextual()) producer.beginTransaction();
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (JsonNode record : question.get("records")) {
                Integer partition = question.hasNonNull("partition") ? question.get("partition").asInt() : null;
                Long timestamp = record.hasNonNull("timestamp") ? record.get("timestamp").asLong() : null;
                ProducerRecord<byte[], byte[]> out = new ProducerRecord<>(
                        question.get("topic").asText(), partition, timestamp, bytes(record.get("key")), bytes(record.get("value")));
                for (JsonNode header : record.path("headers")) out.headers().add(header.get(0).asText(), bytes(header.get(1)));
                sent.add(producer.send(out));
            }
            ArrayNode results = answer.putArray("results");
            producer.flush();
            for (Future<RecordMetadata> future : sent)
                results.addObject().put("partition", future.get().partition()).put("offset", future.get().offset());
            if ("commit".equals(question.path("transaction").asText())) producer.commitTransaction();
            if ("abort".equals(question.path("transaction").asText())) producer.abortTransaction();
        }
    }

    /** {do: consume, config, topic, partition, count}: the first `count` records of a partition. */
    private static void consume(JsonNode question, ObjectNode answer) {
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties(question.get("config")), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            TopicPartition partition = new TopicPartition(question.get("topic").asText(), question.get("partition").asInt());
            consumer.assign(Arrays.asList(partition));
            consumer.seekToBeginning(Arrays.asList(partition));
            ArrayNode records = answer.putArray("records");
            long deadline = System.currentTimeMillis() + 60_000;
            while (records.size() < question.get("count").asInt() && System.currentTimeMillis() < deadline)
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    ObjectNode out = records.addObject();
                    out.put("offset", record.offset()).put("timestamp", record.timestamp());
                    out.put("key", base64(record.key())).put("value", base64(record.value()));
                    ArrayNode headers = out.putArray("headers");
                    for (Header header : record.headers()) headers.addArray().add(header.key()).add(base64(header.value()));
                }
        }
    }

    /** {do: commit | committed, config, topic, partition, offset}: the offsets of the group in `config`. */
    private static void offsets(JsonNode question, ObjectNode answer) {
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties(question.get("config")), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            TopicPartition partition = new TopicPartition(question.get("topic").asText(), question.get("partition").asInt());
            consumer.assign(Arrays.asList(partition));
            if ("commit".equals(question.get("do").asText()))
                consumer.commitSync(Collections.singletonMap(
                        partition, new OffsetAndMetadata(question.get("offset").asLong(), question.get("metadata").asText())));
            OffsetAndMetadata committed = consumer.committed(Collections.singleton(partition)).get(partition);
            answer.put("offset", committed.offset()).put("metadata", committed.metadata());
        }
    }

    private static Properties properties(JsonNode config) {
        Properties properties = new Properties();
        config.fields().forEachRemaining(entry -> properties.put(entry.getKey(), entry.getValue().asText()));
        return properties;
    }

    private static byte[] bytes(JsonNode node) {
        return node == null || node.isNull() ? null : Base64.getDecoder().decode(node.asText());
    }

    private static String base64(byte[] bytes) {
        return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
    }
}
