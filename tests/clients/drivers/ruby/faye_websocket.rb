# faye-websocket, on the loop of EventMachine. It sends no pings by default.

require "eventmachine"
require "faye/websocket"
require_relative "session"

class Client
  attr_reader :subprotocol

  def initialize(job)
    @events = Queue.new
    EM.next_tick do
      @socket = Faye::WebSocket::Client.new(job.url, job.offers)
      @socket.on(:open) { @events << :open }
      @socket.on(:message) { |event| @events << message(event.data) }
      @socket.on(:error) { |event| @events << RuntimeError.new(event.message) }
      @socket.on(:close) { |event| @events << RuntimeError.new("closed with #{event.code}") }
    end
    receive
    @subprotocol = @socket.protocol
  end

  def message(data)
    data.is_a?(Array) ? data.pack("C*") : data
  end

  def send(message)
    data = message.encoding == Encoding::BINARY ? message.bytes : message
    EM.next_tick { @socket.send(data) }
  end

  def receive
    event = @events.pop
    raise event if event.is_a?(RuntimeError)

    event
  end

  def idle(seconds)
    sleep(seconds)
  end

  # The error of `close` comes from the loop.
  def close(code)
    called = Queue.new
    EM.next_tick do
      called << begin
        code ? @socket.close(code) : @socket.close
      rescue StandardError => e
        e
      end
    end
    result = called.pop
    raise result if result.is_a?(StandardError)

    @events.pop
  end
end

Thread.new { EM.run }
sleep 0.01 until EM.reactor_running?
run { |job| Client.new(job) }
