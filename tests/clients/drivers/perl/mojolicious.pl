# Mojolicious: `Mojo::UserAgent`. It sends no pings, and answers pings itself.
use v5.30;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Session;
use Mojo::IOLoop;
use Mojo::UserAgent;

package Client {
    sub new {
        my ($class, $job) = @_;
        my $self = bless {come => []}, $class;
        $self->{agent} = Mojo::UserAgent->new(inactivity_timeout => 0);
        $self->{agent}->websocket($job->{url}, $job->{offers}, sub {
            my (undef, $transaction) = @_;
            $self->{answer} = $transaction;
            return unless $transaction->is_websocket;
            $transaction->on(text => sub { push @{$self->{come}}, Encode::decode_utf8($_[1]) });
            $transaction->on(binary => sub { push @{$self->{come}}, $_[1] });
            $transaction->on(finish => sub { $self->{finished} = 1 });
        });
        $self->wait(sub { $self->{answer} });
        my $answer = $self->{answer};
        die 'status ' . ($answer->res->code // 'none') . "\n" unless $answer->is_websocket;
        return $self;
    }

    sub subprotocol { $_[0]{answer}->protocol }

    sub send {
        my ($self, $message, $is_text) = @_;
        $self->{answer}->send($is_text ? $message : {binary => $message});
    }

    sub receive {
        my ($self) = @_;
        $self->wait(sub { @{$self->{come}} || $self->{finished} });
        die "it was closed\n" unless @{$self->{come}};
        return shift @{$self->{come}};
    }

    sub idle {
        my ($self, $seconds) = @_;
        my $over;
        Mojo::IOLoop->timer($seconds => sub { $over = 1 });
        $self->wait(sub { $over });
    }

    sub close {
        my ($self, $code) = @_;
        defined $code ? $self->{answer}->finish($code) : $self->{answer}->finish;
        $self->wait(sub { $self->{finished} });
    }

    sub wait {
        my ($self, $done) = @_;
        Mojo::IOLoop->one_tick until $done->();
    }
}

Session::run(sub { Client->new(@_) });
