# AnyEvent::WebSocket::Client. It sends no pings, and answers pings itself.
use v5.30;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Session;
use AnyEvent;
use AnyEvent::WebSocket::Client;

package Client {
    sub new {
        my ($class, $job) = @_;
        # The loop does not know how long the driver waited for its job, and would take that for a timeout.
        AnyEvent->now_update;
        my @offers = @{$job->{offers}} ? (subprotocol => $job->{offers}) : ();
        my $socket = AnyEvent::WebSocket::Client->new(@offers)->connect($job->{url})->recv;
        my $self = bless {socket => $socket, come => []}, $class;
        $socket->on(each_message => sub {
            my (undef, $message) = @_;
            push @{$self->{come}}, $message->is_text ? $message->decoded_body : $message->body;
            $self->{wake}->send if $self->{wake};
        });
        $self->{finished} = AnyEvent->condvar;
        $socket->on(finish => sub {
            $self->{finished}->send;
            $self->{wake}->send if $self->{wake};
        });
        return $self;
    }

    sub subprotocol { $_[0]{socket}->subprotocol }

    sub send {
        my ($self, $message, $is_text) = @_;
        my $body = $is_text ? Encode::encode_utf8($message) : $message;
        $self->{socket}->send(AnyEvent::WebSocket::Message->new(body => $body, opcode => $is_text ? 1 : 2));
    }

    sub receive {
        my ($self) = @_;
        unless (@{$self->{come}}) {
            $self->{wake} = AnyEvent->condvar;
            $self->{wake}->recv;
            delete $self->{wake};
        }
        die "it was closed\n" unless @{$self->{come}};
        return shift @{$self->{come}};
    }

    sub idle {
        my ($self, $seconds) = @_;
        my $over = AnyEvent->condvar;
        my $timer = AnyEvent->timer(after => $seconds, cb => sub { $over->send });
        $over->recv;
    }

    sub close {
        my ($self, $code) = @_;
        defined $code ? $self->{socket}->close($code) : $self->{socket}->close;
        $self->{finished}->recv;
    }
}

Session::run(sub { Client->new(@_) });
