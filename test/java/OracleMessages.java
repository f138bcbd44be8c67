import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * Apache's generated classes as judges of message bytes. A line asks {message, version, items: [{hex, json?}]}; the answer
 * {problems: [[index, text]]} says which items these classes see otherwise:
 * the bytes must be read to the last one and written again unchanged; where there is JSON (their converters' form), the
 * object read must give it, and the object made from it must give the bytes.
 * {message, version, read: [hex]} is answered by {read: [json]}: what these classes read, whatever they would write.
 * {message, version, make: [json]} is answered by {made: [hex]}: what these classes make of their own JSON.
 */
public class OracleMessages {
  static final ObjectMapper JSON = new ObjectMapper();
  static final String[] PACKAGES = {
    "org.apache.kafka.common.message.", "org.apache.kafka.coordinator.group.generated.",
    "org.apache.kafka.coordinator.transaction.generated.", "org.apache.kafka.coordinator.share.generated.",
    "org.apache.kafka.streams.internals.generated.",
  };
  /** The class path, and the jars named as arguments. */
  static ClassLoader loader;

  public static void main(String[] args) throws Exception {
    URL[] jars = new URL[args.length];
    for (int i = 0; i < args.length; i++) jars[i] = Path.of(args[i]).toUri().toURL();
    loader = new URLClassLoader(jars, OracleMessages.class.getClassLoader());
    var in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    for (String line; (line = in.readLine()) != null; ) {
      ObjectNode answer = JSON.createObjectNode();
      try {
        JsonNode question = JSON.readTree(line);
        ArrayNode problems = answer.putArray("problems");
        Class<?> type = find(question.get("message").asText());
        boolean inJson = question.path("make").size() > 0 || question.path("read").size() > 0 || question.path("items").findValue("json") != null;
        Method toJson = inJson ? converter(type).getMethod("write", type, short.class) : null;
        Method fromJson = inJson ? converter(type).getMethod("read", JsonNode.class, short.class) : null;
        short version = (short) question.get("version").asInt();
        ArrayNode made = answer.putArray("made");
        for (JsonNode json : question.path("make")) made.add(encode((Message) fromJson.invoke(null, JSON.readTree(json.asText()), version), version));
        ArrayNode read = answer.putArray("read");
        for (JsonNode hex : question.path("read")) {
          Message message = (Message) type.getDeclaredConstructor().newInstance();
          message.read(new ByteBufferAccessor(ByteBuffer.wrap(HexFormat.of().parseHex(hex.asText()))), version);
          read.add((JsonNode) toJson.invoke(null, message, version));
        }
        int index = 0;
        for (JsonNode item : question.path("items")) {
          String problem = check(type, toJson, fromJson, version, item);
          if (problem != null) problems.addArray().add(index).add(problem);
          index++;
        }
      } catch (Throwable error) {
        answer.put("error", error.toString());
      }
      System.out.println(JSON.writeValueAsString(answer));
    }
  }

  static String check(Class<?> type, Method toJson, Method fromJson, short version, JsonNode item) {
    String hex = item.get("hex").asText(), step = "read";
    try {
      ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(hex));
      Message message = (Message) type.getDeclaredConstructor().newInstance();
      message.read(new ByteBufferAccessor(bytes), version);
      if (bytes.hasRemaining()) return bytes.remaining() + " bytes are left";
      step = "write again";
      if (!hex.equals(encode(message, version))) return "written again as " + encode(message, version) + ", not " + hex;
      if (!item.has("json")) return null;
      JsonNode expected = JSON.readTree(item.get("json").asText());
      step = "write JSON";
      // Parsed anew: an IntNode and a LongNode of the same number differ, as do binary and text nodes.
      JsonNode actual = JSON.readTree(JSON.writeValueAsString(toJson.invoke(null, message, version)));
      if (!blank(actual).equals(blank(expected.deepCopy()))) return "read as " + actual + ", not " + expected;
      step = "read JSON";
      String again = encode((Message) fromJson.invoke(null, expected, version), version);
      return again.equals(hex) ? null : "written as " + again + ", not " + hex + ", from " + expected;
    } catch (Throwable error) {
      Throwable cause = error instanceof InvocationTargetException ? error.getCause() : error;
      return step + ": " + cause;
    }
  }

  static String encode(Message message, short version) {
    var cache = new ObjectSerializationCache();
    ByteBuffer bytes = ByteBuffer.allocate(message.size(cache, version));
    message.write(new ByteBufferAccessor(bytes), cache, version);
    if (bytes.hasRemaining()) throw new IllegalStateException("announced " + bytes.capacity() + " bytes, wrote " + bytes.position());
    return HexFormat.of().formatHex(bytes.array());
  }

  /** Record sets do not show in Kafka's JSON: only whether there are any. */
  static JsonNode blank(JsonNode node) {
    if (node instanceof ObjectNode object) {
      JsonNode size = object.remove("recordsSizeInBytes"), records = object.remove("records");
      if (size != null && !size.isNull() || records != null && !records.isNull()) object.put("records", true);
    }
    for (JsonNode child : node) blank(child);
    return node;
  }

  static Class<?> find(String name) throws ClassNotFoundException {
    for (String place : PACKAGES) {
      for (String suffix : new String[] {"Data", ""}) {
        try {
          return loader.loadClass(place + name + suffix);
        } catch (ClassNotFoundException absent) {
          // The next place.
        }
      }
    }
    throw new ClassNotFoundException(name);
  }
  static Class<?> converter(Class<?> type) throws ClassNotFoundException {
    return loader.loadClass(type.getName() + "JsonConverter");
  }
}
