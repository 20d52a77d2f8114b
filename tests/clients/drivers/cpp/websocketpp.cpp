// WebSocket++. It sends no pings, and answers pings itself. It has no default code.

#include <deque>
#include <memory>
#include <websocketpp/client.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>

#include "session.hpp"

using Endpoint = websocketpp::client<websocketpp::config::asio_client>;

struct WebSocketPp : Client {
    Endpoint endpoint;
    Endpoint::connection_ptr connection;
    std::deque<std::string> messages;
    bool opened = false, ended = false;

    explicit WebSocketPp(const Job &job) {
        endpoint.clear_access_channels(websocketpp::log::alevel::all);
        endpoint.clear_error_channels(websocketpp::log::elevel::all);
        endpoint.init_asio();
        endpoint.set_open_handler([this](auto) { opened = true; });
        endpoint.set_fail_handler([this](auto) { ended = true; });
        endpoint.set_close_handler([this](auto) { ended = true; });
        endpoint.set_message_handler([this](auto, auto message) { messages.push_back(message->get_payload()); });
        websocketpp::lib::error_code error;
        connection = endpoint.get_connection(job.url, error);
        if (error) throw std::runtime_error(error.message());
        for (std::size_t begin = 0; begin < job.offers.size();) {
            const auto end = std::min(job.offers.find(',', begin), job.offers.size());
            connection->add_subprotocol(job.offers.substr(begin, end - begin));
            begin = end + 1;
        }
        endpoint.connect(connection);
        while (!opened && !ended) endpoint.run_one();
        if (!opened) {
            const auto status = std::to_string(connection->get_response_code());
            throw std::runtime_error(connection->get_ec().message() + " " + status);
        }
    }

    // Its `get_subprotocol` is for servers.
    std::string subprotocol() override { return connection->get_response_header("Sec-WebSocket-Protocol"); }

    void send(const std::string &message, bool is_text) override {
        using namespace websocketpp::frame;
        const auto error = connection->send(message, is_text ? opcode::text : opcode::binary);
        if (error) throw std::runtime_error(error.message());
    }

    std::string receive() override {
        while (messages.empty() && !ended) endpoint.run_one();
        if (messages.empty()) throw std::runtime_error("it was closed");
        const auto message = messages.front();
        messages.pop_front();
        return message;
    }

    void idle(std::chrono::milliseconds time) override { endpoint.get_io_service().run_for(time); }

    void close(int code) override {
        connection->close(code < 0 ? websocketpp::close::status::normal : code, "");
        while (!ended) endpoint.run_one();
    }
};

int main() {
    run([](const Job &job) { return new WebSocketPp(job); });
}
