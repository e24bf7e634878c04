// A receiver in Java, of the JDK alone. The example of docs/webhooks.md stands between the marks.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Receiver {
  // docs:begin
  /** Verifies by hand. There is a library too: com.standardwebhooks:standardwebhooks. */
  static boolean isGenuine(String secret, byte[] body, String id, String timestamp, String signatures)
      throws GeneralSecurityException {
    if (id == null || timestamp == null || signatures == null) return false;
    if (!timestamp.matches("\\d{1,12}")) return false;
    long ageS = Instant.now().getEpochSecond() - Long.parseLong(timestamp);
    if (Math.abs(ageS) > 300) return false;
    Mac mac = Mac.getInstance("HmacSHA256");
    byte[] key = Base64.getDecoder().decode(secret.substring("whsec_".length()));
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
    String expected = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
    byte[] wanted = expected.getBytes(StandardCharsets.UTF_8);
    for (String signature : signatures.split(" ")) {
      // This comparison takes the same time wherever the texts differ.
      if (MessageDigest.isEqual(wanted, signature.getBytes(StandardCharsets.UTF_8))) return true;
    }
    return false;
  }
  // docs:end

  static void receive(HttpExchange exchange, String secret) throws IOException {
    byte[] body = exchange.getRequestBody().readNBytes(1 << 20);
    var headers = exchange.getRequestHeaders();
    int status = 401;
    try {
      if (isGenuine(
          secret,
          body,
          headers.getFirst("webhook-id"),
          headers.getFirst("webhook-timestamp"),
          headers.getFirst("webhook-signature"))) {
        System.out.println("accepted " + new String(body, StandardCharsets.UTF_8));
        status = 204;
      }
    } catch (GeneralSecurityException error) {
      status = 500;
    }
    exchange.sendResponseHeaders(status, -1);
    exchange.close();
  }

  public static void main(String[] arguments) throws IOException {
    String secret = System.getenv("WEBHOOK_SECRET");
    int port = Integer.parseInt(System.getenv("PORT"));
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    HttpServer server = HttpServer.create(address, 0);
    server.createContext("/hooks", (exchange) -> receive(exchange, secret));
    server.start();
    System.out.println("listening");
  }
}
