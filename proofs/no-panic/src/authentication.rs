//! SASL: both sides of every mechanism that needs no feature.

use std::hint::black_box;

use ehlo::syntax::sasl::{Response, SaslData, SaslMechanism};
use ehlo::{Command, Reply};
use ehlo_sasl::{
    AnyClient, AnyServer, ClientExchange, ClientFailure, ClientStep, Credentials, CredentialsError,
    ServerExchange, ServerStep, StoredSecret,
};
use no_panic::no_panic;

pub fn run(input: &[u8], buffer: &mut [u8]) -> usize {
    let text = std::str::from_utf8(input).unwrap_or_default();
    let mut bytes = 0;
    for mechanism in SaslMechanism::ALL {
        let message = SaslData::new(input);
        if let Some(server) = AnyServer::new(*mechanism) {
            let mut exchange = ServerExchange::new(server);
            bytes += server_start(&mut exchange, black_box(Some(&message)), buffer);
            bytes += server_receive(&mut exchange, &Response::Data(message), buffer);
            bytes += server_decide(&mut exchange, buffer);
        }
        let Ok(credentials) = credentials(text) else { continue };
        if let Some(client) = AnyClient::new(*mechanism, &credentials) {
            let mut exchange = ClientExchange::new(client);
            bytes += usize::from(client_start(&mut exchange, buffer).is_ok());
            let code = black_box(ehlo::Code::AUTHENTICATION_CONTINUES);
            bytes += client_receive(&mut exchange, &Reply::new(code, text), buffer);
        }
    }
    bytes
}

const fn length(step: &ServerStep<'_>) -> usize {
    match step {
        ServerStep::Challenge(_) => 1,
        ServerStep::Reply(_) => 2,
        ServerStep::Verify(_) => 3,
        ServerStep::Secret(name) => name.len(),
    }
}

#[no_panic]
fn server_start(
    exchange: &mut ServerExchange<AnyServer>,
    message: Option<&SaslData<'_>>,
    buffer: &mut [u8],
) -> usize {
    length(&exchange.start(message, buffer))
}

#[no_panic]
fn server_receive(
    exchange: &mut ServerExchange<AnyServer>,
    response: &Response<'_>,
    buffer: &mut [u8],
) -> usize {
    length(&exchange.receive(response, buffer))
}

#[no_panic]
fn server_decide(exchange: &mut ServerExchange<AnyServer>, buffer: &mut [u8]) -> usize {
    let secret = StoredSecret::Password("secret");
    length(&exchange.accept(buffer))
        + length(&exchange.accept_authorization(buffer))
        + length(&exchange.refuse(buffer))
        + length(&exchange.secret(Some(&secret), buffer))
}

#[no_panic]
fn client_start<'b>(
    exchange: &mut ClientExchange<AnyClient<'_>>,
    buffer: &'b mut [u8],
) -> Result<Command<'b>, ClientFailure> {
    exchange.start(buffer)
}

#[no_panic]
fn client_receive(
    exchange: &mut ClientExchange<AnyClient<'_>>,
    reply: &Reply<'_>,
    buffer: &mut [u8],
) -> usize {
    usize::from(matches!(exchange.receive(reply, buffer), ClientStep::Respond(_)))
}

#[no_panic]
fn credentials(text: &str) -> Result<Credentials<'_>, CredentialsError> {
    Credentials::password(text, text)
        .and_then(|credentials| credentials.acting_for(text))
        .or_else(|_| Credentials::token(text, text))
        .or_else(|_| Credentials::anonymous(text))
}
