import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** The client of the JDK, `java.net.http`. It sends no pings, and answers pings itself. It has no default code. */
final class Jdk extends Session implements WebSocket.Listener {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private final StringBuilder text = new StringBuilder();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private WebSocket socket;

    public static void main(String[] arguments) throws Exception {
        run(Jdk::new);
    }

    @Override
    void connect(String url, List<String> offers) {
        WebSocket.Builder builder = CLIENT.newWebSocketBuilder();
        if (!offers.isEmpty()) {
            String[] others = offers.subList(1, offers.size()).toArray(String[]::new);
            builder.subprotocols(offers.get(0), others);
        }
        try {
            socket = builder.buildAsync(URI.create(url), this).join();
        } catch (CompletionException error) {
            if (error.getCause() instanceof WebSocketHandshakeException refused) {
                throw new IllegalStateException("status " + refused.getResponse().statusCode());
            }
            throw error;
        }
        subprotocol = socket.getSubprotocol();
    }

    @Override
    void send(String message) {
        socket.sendText(message, true).join();
    }

    @Override
    void send(byte[] message) {
        socket.sendBinary(ByteBuffer.wrap(message), true).join();
    }

    @Override
    void close(Integer code) throws Exception {
        socket.sendClose(code == null ? WebSocket.NORMAL_CLOSURE : code, "").join();
        events.take();
    }

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
        text.append(data);
        if (last) {
            events.add(text.toString());
            text.setLength(0);
        }
        socket.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
        byte[] piece = new byte[data.remaining()];
        data.get(piece);
        bytes.writeBytes(piece);
        if (last) {
            events.add(bytes.toByteArray());
            bytes.reset();
        }
        socket.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
        events.add(new IllegalStateException("closed with " + code));
        return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
        events.add(error);
    }
}
