# Sends standard input by Net::SMTP: PORT SECURITY MECHANISM AUTHORITY NAME PASSWORD, a mechanism of `-` for none.
require "net/smtp"
require "openssl"

port, security, mechanism, authority, name, password = ARGV
content = $stdin.binmode.read
context = OpenSSL::SSL::SSLContext.new
context.ca_file = authority
context.verify_mode = OpenSSL::SSL::VERIFY_PEER
smtp = Net::SMTP.new("127.0.0.1", port.to_i)
case security
when "without TLS" then smtp.disable_starttls
when "STARTTLS" then smtp.enable_starttls(context)
when "implicit TLS" then smtp.enable_tls(context)
end
login = mechanism == "-" ? [] : [name, password, mechanism.downcase.tr("-", "_").to_sym]
smtp.start("client.test", *login) { |session| session.send_message(content, "a@test", "u@test") }
