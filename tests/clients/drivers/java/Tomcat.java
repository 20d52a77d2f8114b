import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.CloseReason;
import jakarta.websocket.ContainerProvider;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.List;

/** The client of Tomcat, by the interface `jakarta.websocket`. It sends no pings, and answers pings itself. */
final class Tomcat extends Session {
    private jakarta.websocket.Session socket;

    public static void main(String[] arguments) throws Exception {
        run(Tomcat::new);
    }

    @Override
    void connect(String url, List<String> offers) throws Exception {
        ClientEndpointConfig config =
                ClientEndpointConfig.Builder.create().preferredSubprotocols(offers).build();
        socket = ContainerProvider.getWebSocketContainer()
                .connectToServer(new Listener(), config, URI.create(url));
        subprotocol = socket.getNegotiatedSubprotocol();
    }

    @Override
    void send(String text) throws Exception {
        socket.getBasicRemote().sendText(text);
    }

    @Override
    void send(byte[] bytes) throws Exception {
        socket.getBasicRemote().sendBinary(ByteBuffer.wrap(bytes));
    }

    @Override
    void close(Integer code) throws Exception {
        if (code == null) {
            socket.close();
        } else {
            socket.close(new CloseReason(CloseReason.CloseCodes.getCloseCode(code), ""));
        }
        events.take();
    }

    private final class Listener extends Endpoint {
        @Override
        public void onOpen(jakarta.websocket.Session socket, EndpointConfig config) {
            socket.addMessageHandler(String.class, events::add);
            socket.addMessageHandler(byte[].class, events::add);
        }

        @Override
        public void onClose(jakarta.websocket.Session socket, CloseReason reason) {
            events.add(new IllegalStateException("closed with " + reason));
        }

        @Override
        public void onError(jakarta.websocket.Session socket, Throwable error) {
            events.add(error);
        }
    }
}
