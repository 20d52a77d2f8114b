// Boost.Beast. It sends no pings by default, and answers pings while it reads. It has no default code.

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>
#include <memory>

#include "session.hpp"

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::asio::ip::tcp;

struct Beast : Client {
    boost::asio::io_context context;
    websocket::stream<beast::tcp_stream> socket{context};
    websocket::response_type answer;
    beast::flat_buffer buffer;
    std::deque<std::string> messages;
    beast::error_code ended;

    explicit Beast(const Job &job) {
        tcp::resolver resolver(context);
        beast::get_lowest_layer(socket).connect(resolver.resolve(job.host, job.port));
        if (!job.offers.empty()) {
            socket.set_option(websocket::stream_base::decorator([&job](websocket::request_type &request) {
                request.set(beast::http::field::sec_websocket_protocol, job.offers);
            }));
        }
        beast::error_code error;
        socket.handshake(answer, job.host + ":" + job.port, job.target, error);
        if (error) throw std::runtime_error(error.message() + " " + std::to_string(answer.result_int()));
        read();
    }

    void read() {
        socket.async_read(buffer, [this](beast::error_code error, std::size_t) {
            ended = error;
            if (error) return;
            messages.push_back(beast::buffers_to_string(buffer.data()));
            buffer.consume(buffer.size());
            read();
        });
    }

    std::string subprotocol() override {
        const auto value = answer[beast::http::field::sec_websocket_protocol];
        return {value.begin(), value.end()};
    }

    void send(const std::string &message, bool is_text) override {
        socket.text(is_text);
        socket.write(boost::asio::buffer(message));
    }

    std::string receive() override {
        while (messages.empty() && !ended) context.run_one();
        if (messages.empty()) throw std::runtime_error(ended.message());
        const auto message = messages.front();
        messages.pop_front();
        return message;
    }

    void idle(std::chrono::milliseconds time) override { context.run_for(time); }

    void close(int code) override {
        const auto reason = code < 0 ? websocket::close_code::normal : static_cast<websocket::close_code>(code);
        beast::error_code error;
        bool closed = false;
        socket.async_close(reason, [&](beast::error_code result) {
            error = result;
            closed = true;
        });
        while (!closed) context.run_one();
        if (error) throw std::runtime_error(error.message());
    }
};

int main() {
    run([](const Job &job) { return new Beast(job); });
}
