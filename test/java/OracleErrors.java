import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;

/** Prints code, name and retriability of every error that a release knows, as one JSON array. */
public class OracleErrors {
  public static void main(String[] args) {
    var rows = new StringBuilder();
    for (Errors error : Errors.values()) {
      rows.append(rows.isEmpty() ? "[" : ",").append('[').append(error.code()).append(",\"").append(error.name()).append("\",")
          .append(error.exception() instanceof RetriableException).append(']');
    }
    System.out.println(rows.append(']'));
  }
}
