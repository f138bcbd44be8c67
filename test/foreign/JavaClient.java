// Produces, consumes in a group, commits and lists topics; prints what it saw as one line of JSON.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class JavaClient {
  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    JsonNode task = json.readTree(args[0]);
    String topic = task.get("topic").asText();
    int count = task.get("count").asInt();
    Map<String, Object> common = new HashMap<>();
    common.put("bootstrap.servers", task.get("bootstrapServers").asText());
    if (task.has("user")) {
      String module = task.get("mechanism").asText().equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
      common.put("security.protocol", "SASL_PLAINTEXT");
      common.put("sasl.mechanism", task.get("mechanism").asText());
      common.put("sasl.jaas.config", "org.apache.kafka.common.security." + module + " required username=\"" + task.get("user").asText()
          + "\" password=\"" + task.get("password").asText() + "\";");
    }
    Map<String, Object> answer = new HashMap<>();
    try (Admin admin = Admin.create(common)) {
      admin.createTopics(List.of(new NewTopic(topic, 3, (short) 1))).all().get();
      admin.describeTopics(List.of(topic)).allTopicNames().get();
      admin.describeCluster().nodes().get();
      Map<String, Object> producing = new HashMap<>(common);
      producing.put("compression.type", "lz4");
      try (KafkaProducer<String, String> producer = new KafkaProducer<>(producing, new StringSerializer(), new StringSerializer())) {
        for (int i = 0; i < count; i++) producer.send(new ProducerRecord<>(topic, "k" + i, "v" + i)).get();
      }
      Map<String, Object> consuming = new HashMap<>(common);
      consuming.put("group.id", topic);
      consuming.put("auto.offset.reset", "earliest");
      consuming.put("enable.auto.commit", false);
      List<String> values = new ArrayList<>();
      try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(consuming, new StringDeserializer(), new StringDeserializer())) {
        consumer.subscribe(List.of(topic));
        while (values.size() < count) consumer.poll(Duration.ofMillis(200)).forEach(record -> values.add(record.value()));
        consumer.commitSync();
      }
      admin.listConsumerGroupOffsets(topic).partitionsToOffsetAndMetadata().get();
      answer.put("values", values);
      answer.put("topics", new TreeSet<>(admin.listTopics().names().get()));
    }
    System.out.println(json.writeValueAsString(answer));
  }
}
