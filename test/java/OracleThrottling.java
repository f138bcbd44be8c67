import java.nio.ByteBuffer;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.requests.AbstractResponse;

/**
 * Prints [api key, version, whether Java's client stays quiet for the throttle time of its answer] for every API and
 * version, as one JSON array (KIP-219: AbstractResponse.shouldClientThrottle).
 */
public class OracleThrottling {
  public static void main(String[] args) throws Exception {
    var rows = new StringBuilder();
    for (ApiKeys api : ApiKeys.values()) {
      for (short version = api.oldestVersion(); version <= api.latestVersion(); version++) {
        ApiMessage data = api.messageType.newResponse();
        AbstractResponse response;
        try {
          response = parse(api, bytes(data, version), version);
        } catch (ReflectiveOperationException | RuntimeException notAnAnswerByItself) {
          continue;
        }
        rows.append(rows.isEmpty() ? "[" : ",").append('[').append(api.id).append(',').append(version).append(',')
            .append(response.shouldClientThrottle(version)).append(']');
      }
    }
    System.out.println(rows.append(']'));
  }

  static ByteBuffer bytes(ApiMessage data, short version) {
    var cache = new ObjectSerializationCache();
    ByteBuffer bytes = ByteBuffer.allocate(data.size(cache, version));
    data.write(new ByteBufferAccessor(bytes), cache, version);
    return bytes.flip();
  }

  /** parseResponse takes a ByteBuffer up to 3.9 and a Readable later. */
  static AbstractResponse parse(ApiKeys api, ByteBuffer bytes, short version) throws ReflectiveOperationException {
    for (var method : AbstractResponse.class.getMethods()) {
      if (!method.getName().equals("parseResponse") || method.getParameterCount() != 3) continue;
      Object buffer = method.getParameterTypes()[1].isInstance(bytes) ? bytes : new ByteBufferAccessor(bytes);
      return (AbstractResponse) method.invoke(null, api, buffer, version);
    }
    throw new NoSuchMethodException("parseResponse");
  }
}
