import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.server.telemetry.ClientTelemetry;
import org.apache.kafka.server.telemetry.ClientTelemetryReceiver;
import org.apache.kafka.shaded.io.opentelemetry.proto.common.v1.KeyValue;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Metric;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.MetricsData;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * A metrics reporter for a broker's class path: with it the broker takes client metrics (KIP-714). Each push is decoded with
 * OpenTelemetry's own classes and becomes a line of JSON in the file that the system property `telemetry.file` names.
 */
public class TelemetryReporter implements MetricsReporter, ClientTelemetry {
  private static final ObjectMapper json = new ObjectMapper();
  private final Path file = Path.of(System.getProperty("telemetry.file"));

  @Override
  public ClientTelemetryReceiver clientReceiver() {
    return (context, payload) -> {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("clientId", context.clientId());
      line.put("instanceId", payload.clientInstanceId().toString());
      line.put("terminating", payload.isTerminating());
      line.put("contentType", payload.contentType());
      try {
        MetricsData data = MetricsData.parseFrom(payload.data());
        List<Object> metrics = new ArrayList<>();
        Map<String, String> resource = new LinkedHashMap<>();
        for (ResourceMetrics each : data.getResourceMetricsList()) {
          resource.putAll(attributes(each.getResource().getAttributesList()));
          for (ScopeMetrics scope : each.getScopeMetricsList())
            for (Metric metric : scope.getMetricsList()) metrics.add(describe(metric));
        }
        line.put("resource", resource);
        line.put("metrics", metrics);
        line.put("unknownFields", data.getUnknownFields().asMap().size());
      } catch (Exception e) {
        line.put("failure", e.toString());
      }
      append(line);
    };
  }

  private static Map<String, Object> describe(Metric metric) {
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("name", metric.getName());
    one.put("kind", metric.getDataCase().name());
    List<NumberDataPoint> points;
    if (metric.hasSum()) {
      one.put("temporality", metric.getSum().getAggregationTemporality().name());
      one.put("monotonic", metric.getSum().getIsMonotonic());
      points = metric.getSum().getDataPointsList();
    } else {
      points = metric.getGauge().getDataPointsList();
    }
    one.put("value", points.get(0).getAsDouble());
    one.put("timeMs", points.get(0).getTimeUnixNano() / 1_000_000);
    one.put("startMs", points.get(0).getStartTimeUnixNano() / 1_000_000);
    one.put("attributes", attributes(points.get(0).getAttributesList()));
    return one;
  }

  private static Map<String, String> attributes(List<KeyValue> list) {
    Map<String, String> attributes = new LinkedHashMap<>();
    for (KeyValue each : list) attributes.put(each.getKey(), each.getValue().getStringValue());
    return attributes;
  }

  private synchronized void append(Object line) {
    try {
      Files.writeString(file, json.writeValueAsString(line) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void init(List<KafkaMetric> metrics) {}

  @Override
  public void metricChange(KafkaMetric metric) {}

  @Override
  public void metricRemoval(KafkaMetric metric) {}

  @Override
  public void close() {}

  @Override
  public void configure(Map<String, ?> configs) {}
}
