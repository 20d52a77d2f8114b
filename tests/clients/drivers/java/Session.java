import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The loop of a driver in Java: reads jobs, does each with the library, and writes results. */
abstract class Session {
    static final String TEXT = "grüße, 世界 🌍";
    static final byte[] BINARY = new byte[256];

    static {
        for (int i = 0; i < BINARY.length; i++) BINARY[i] = (byte) i;
    }

    /** Messages as they came, `String` or `byte[]`, or the error that ended the connection. */
    final BlockingQueue<Object> events = new LinkedBlockingQueue<>();

    String subprotocol = "";

    abstract void connect(String url, List<String> offers) throws Exception;

    abstract void send(String text) throws Exception;

    abstract void send(byte[] bytes) throws Exception;

    /** `code` is null for the library's default. */
    abstract void close(Integer code) throws Exception;

    interface Maker {
        Session make();
    }

    static void run(Maker maker) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            String[] fields = line.split("\t", -1);
            String[] step = {"connect"};
            Session session = maker.make();
            try {
                session.perform(fields, step);
                out.println("ok\t" + session.subprotocol);
            } catch (Throwable error) {
                out.println("failed\t" + step[0] + "\t\t" + chain(error).replaceAll("\\s+", " "));
            }
        }
        System.exit(0);
    }

    private static String chain(Throwable error) {
        return error + (error.getCause() == null ? "" : " " + chain(error.getCause()));
    }

    private void perform(String[] fields, String[] step) throws Exception {
        connect(fields[0], fields[1].isEmpty() ? List.of() : Arrays.asList(fields[1].split(",")));
        step[0] = "echo";
        echo();
        double idle = Double.parseDouble(fields[2]);
        if (idle > 0) {
            step[0] = "idle";
            Thread.sleep((long) (idle * 1000));
            echo();
        }
        step[0] = "close";
        close(fields[4].isEmpty() ? null : Integer.valueOf(fields[4]));
    }

    private void echo() throws Exception {
        send(TEXT);
        if (!TEXT.equals(next())) throw new IllegalStateException("another text came back");
        send(BINARY.clone());
        if (!(next() instanceof byte[] bytes) || !Arrays.equals(bytes, BINARY)) {
            throw new IllegalStateException("other bytes came back");
        }
    }

    /** The next event that is not an error. */
    Object next() throws Exception {
        Object event = events.poll(30, TimeUnit.SECONDS);
        if (event instanceof Throwable error) throw new Exception(error);
        return event;
    }
}
