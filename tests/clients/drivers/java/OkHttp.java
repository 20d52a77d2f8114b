import java.util.List;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import okio.ByteString;

/** OkHttp. It sends no pings by default, and answers pings itself. It has no default code. */
final class OkHttp extends Session {
    private static final OkHttpClient CLIENT = new OkHttpClient();

    private WebSocket socket;

    public static void main(String[] arguments) throws Exception {
        run(OkHttp::new);
    }

    @Override
    void connect(String url, List<String> offers) throws Exception {
        Request.Builder request = new Request.Builder().url(url);
        if (!offers.isEmpty()) request.header("Sec-WebSocket-Protocol", String.join(", ", offers));
        socket = CLIENT.newWebSocket(request.build(), new Listener());
        subprotocol = ((Response) next()).header("Sec-WebSocket-Protocol", "");
    }

    @Override
    void send(String text) {
        socket.send(text);
    }

    @Override
    void send(byte[] bytes) {
        socket.send(ByteString.of(bytes));
    }

    @Override
    void close(Integer code) throws Exception {
        socket.close(code == null ? 1000 : code, null);
        events.take();
    }

    private final class Listener extends WebSocketListener {
        @Override
        public void onOpen(WebSocket socket, Response response) {
            events.add(response);
        }

        @Override
        public void onMessage(WebSocket socket, String text) {
            events.add(text);
        }

        @Override
        public void onMessage(WebSocket socket, ByteString bytes) {
            events.add(bytes.toByteArray());
        }

        @Override
        public void onClosed(WebSocket socket, int code, String reason) {
            events.add(new IllegalStateException("closed with " + code));
        }

        @Override
        public void onFailure(WebSocket socket, Throwable error, Response response) {
            String status = response == null ? "" : "status " + response.code();
            events.add(new IllegalStateException(status, error));
        }
    }
}
