import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;

/**
 * Reads what Connect workers and Streams instances exchange with Apache's own hand-written code and writes it again.
 * Arguments: the jars that hold it. A line asks {format, version, hex}; the answer is {hex, text}, text showing what was read.
 */
public class OracleGroupFormats {
  static final ObjectMapper JSON = new ObjectMapper();
  static ClassLoader loader;

  public static void main(String[] args) throws Exception {
    URL[] jars = new URL[args.length];
    for (int i = 0; i < args.length; i++) jars[i] = Path.of(args[i]).toUri().toURL();
    loader = new URLClassLoader(jars, OracleGroupFormats.class.getClassLoader());
    var in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    for (String line; (line = in.readLine()) != null; ) {
      try {
        JsonNode question = JSON.readTree(line);
        ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(question.get("hex").asText()));
        int version = question.get("version").asInt();
        Object[] outcome = switch (question.get("format").asText()) {
          case "worker-state" -> connect("Metadata", version, bytes);
          case "worker-assignment" -> connect("Assignment", version, bytes);
          case "streams-assignment" -> streams(bytes);
          default -> throw new IllegalArgumentException(line);
        };
        ByteBuffer again = (ByteBuffer) outcome[1];
        byte[] written = new byte[again.remaining()];
        again.get(written);
        System.out.println(JSON.writeValueAsString(Map.of("hex", HexFormat.of().formatHex(written), "text", outcome[0].toString())));
      } catch (Throwable error) {
        Throwable cause = error.getCause() == null ? error : error.getCause();
        System.out.println(JSON.writeValueAsString(Map.of("error", cause.toString())));
      }
    }
  }

  static Object[] connect(String what, int version, ByteBuffer bytes) throws Exception {
    String name = version == 0 ? "ConnectProtocol" : "IncrementalCooperativeConnectProtocol";
    Class<?> protocol = loader.loadClass("org.apache.kafka.connect.runtime.distributed." + name);
    Object value = method(protocol, "deserialize" + what, 1).invoke(null, bytes);
    Object again = version == 0
        ? method(protocol, "serialize" + what, 1).invoke(null, value)
        : method(protocol, "serialize" + what, 2).invoke(null, value, version == 2);
    return new Object[] {value, again};
  }

  static Object[] streams(ByteBuffer bytes) throws Exception {
    Class<?> info = loader.loadClass("org.apache.kafka.streams.processor.internals.assignment.AssignmentInfo");
    Object value = method(info, "decode", 1).invoke(null, bytes);
    return new Object[] {value, method(info, "encode", 0).invoke(value)};
  }

  static Method method(Class<?> type, String name, int parameters) throws NoSuchMethodException {
    for (Method method : type.getMethods()) {
      if (method.getName().equals(name) && method.getParameterCount() == parameters) return method;
    }
    throw new NoSuchMethodException(type + "." + name);
  }
}
