// The loop of a driver in C++: reads jobs, does each with the library's `Client`, and writes results.

#pragma once

#include <chrono>
#include <functional>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

struct Job {
    std::string host, port, target;
    std::string url, offers;
    double idle = 0;
    // -1 for the library's default.
    int code = -1;
};

// A connection of the library. Each function throws on a fault.
struct Client {
    virtual ~Client() = default;
    virtual std::string subprotocol() = 0;
    virtual void send(const std::string &message, bool is_text) = 0;
    virtual std::string receive() = 0;
    virtual void idle(std::chrono::milliseconds time) = 0;
    virtual void close(int code) = 0;
};

using Connect = std::function<Client *(const Job &)>;

inline void echo(Client &client) {
    std::string binary;
    for (int i = 0; i < 256; i++) binary.push_back(static_cast<char>(i));
    const std::string text = "grüße, 世界 🌍";
    for (const auto &message : {text, binary}) {
        client.send(message, message == text);
        if (client.receive() != message) throw std::runtime_error("something else came back");
    }
}

inline std::vector<std::string> fields(const std::string &line) {
    std::vector<std::string> found(1);
    for (char c : line) {
        if (c == '\t') found.emplace_back();
        else found.back().push_back(c);
    }
    return found;
}

inline Job job(const std::vector<std::string> &fields) {
    Job job;
    job.url = fields[0];
    job.offers = fields[1];
    job.idle = std::stod(fields[2]);
    if (!fields[4].empty()) job.code = std::stoi(fields[4]);
    const auto host = job.url.find("//") + 2;
    const auto colon = job.url.find(':', host), slash = job.url.find('/', host);
    job.host = job.url.substr(host, colon - host);
    job.port = job.url.substr(colon + 1, slash - colon - 1);
    job.target = job.url.substr(slash);
    return job;
}

inline void run(const Connect &connect) {
    for (std::string line; std::getline(std::cin, line);) {
        std::string step = "connect";
        try {
            const Job next = job(fields(line));
            std::unique_ptr<Client> client(connect(next));
            step = "echo";
            echo(*client);
            if (next.idle > 0) {
                step = "idle";
                client->idle(std::chrono::milliseconds(static_cast<int>(next.idle * 1000)));
                echo(*client);
            }
            step = "close";
            client->close(next.code);
            std::cout << "ok\t" << client->subprotocol() << std::endl;
        } catch (const std::exception &error) {
            std::cout << "failed\t" << step << "\t\t" << error.what() << std::endl;
        }
    }
}
