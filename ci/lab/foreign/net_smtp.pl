# Sends standard input by Net::SMTP: PORT SECURITY MECHANISM AUTHORITY NAME PASSWORD, a mechanism of `-` for none.
use strict;
use warnings;
use Authen::SASL;
use Net::SMTP;

my ($port, $security, $mechanism, $authority, $name, $password) = @ARGV;
binmode STDIN;
my @tls = (SSL_ca_file => $authority, SSL_verifycn_name => "localhost", SSL_hostname => "localhost");
my $smtp = Net::SMTP->new("127.0.0.1", Port => $port, Hello => "client.test", Timeout => 15,
    $security eq "implicit TLS" ? (SSL => 1, @tls) : ()) or die "no connection: $@";
sub done { $_[0] or die join " ", $smtp->code, $smtp->message }
done($smtp->starttls(@tls)) if $security eq "STARTTLS";
if ($mechanism ne "-") {
    done($smtp->auth(Authen::SASL->new(mechanism => $mechanism, callback => { user => $name, pass => $password, authname => "" })));
}
done($smtp->mail("a\@test", Bits => "8"));
done($smtp->to("u\@test"));
done($smtp->data);
done($smtp->datasend($_)) while <STDIN>;
done($smtp->dataend);
done($smtp->quit);
