# The loop of a driver in Ruby: reads jobs, does each with the library's `connect`, and writes results.
#
# `connect(job)` returns an object with `subprotocol`, `send(message)`, `receive`, `idle(seconds)` and
# `close(code)`; `code` is nil for the library's default.

Job = Struct.new(:url, :offers, :idle, :scale, :code)

TEXT = "grüße, 世界 🌍"
BINARY = (0..255).to_a.pack("C*")

def run
  $stdout.sync = true
  while (line = $stdin.gets)
    url, offers, idle, scale, code = line.chomp.split("\t", -1)
    code = code.empty? ? nil : code.to_i
    report(Job.new(url, offers.split(","), idle.to_f, scale.to_i, code)) { |job| yield job }
  end
end

def report(job)
  step = "connect"
  client = yield job
  step = "echo"
  echo(client)
  if job.idle > 0
    step = "idle"
    client.idle(job.idle)
    echo(client)
  end
  step = "close"
  client.close(job.code)
  puts ["ok", client.subprotocol || ""].join("\t")
rescue StandardError => e
  puts ["failed", step, "", "#{e.class}: #{e.message}".gsub(/\s+/, " ")].join("\t")
end

def echo(client)
  [TEXT, BINARY].each do |message|
    client.send(message)
    received = client.receive
    raise "#{received.inspect} came back" unless received == message
  end
end
