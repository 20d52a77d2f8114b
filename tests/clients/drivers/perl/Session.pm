# The loop of a driver in Perl: reads jobs, does each with the library's `connect`, and writes results.
#
# `connect($job)` returns an object with the methods `subprotocol`, `send($message, $is_text)`,
# `receive` (bytes or text, as they came), `idle($seconds)` and `close($code)`. All of them die on a fault.
package Session;

use v5.30;
use warnings;
use utf8;
use Encode qw(decode_utf8 encode_utf8);

my $TEXT = 'grüße, 世界 🌍';
my $BINARY = join '', map { chr } 0 .. 255;

sub run {
    my ($connect) = @_;
    local $| = 1;
    while (my $line = <STDIN>) {
        chomp $line;
        my ($url, $offers, $idle, $scale, $code) = split /\t/, $line, -1;
        my $job = {
            url => $url, offers => [split /,/, $offers], idle => $idle, scale => $scale,
            code => $code eq '' ? undef : $code,
        };
        my $step = 'connect';
        my $subprotocol = eval { perform($connect, $job, \$step) };
        if ($@) {
            (my $error = "$@") =~ s/\s+/ /g;
            print "failed\t$step\t\t", encode_utf8($error), "\n";
        } else {
            print "ok\t", $subprotocol // '', "\n";
        }
    }
}

sub perform {
    my ($connect, $job, $step) = @_;
    my $client = $connect->($job);
    $$step = 'echo';
    echo($client);
    if ($job->{idle} > 0) {
        $$step = 'idle';
        $client->idle($job->{idle});
        echo($client);
    }
    $$step = 'close';
    $client->close($job->{code});
    return $client->subprotocol;
}

sub echo {
    my ($client) = @_;
    for my $is_text (1, 0) {
        my $message = $is_text ? $TEXT : $BINARY;
        $client->send($message, $is_text);
        my $received = $client->receive;
        die "something else came back\n" unless $received eq $message;
    }
}

1;
