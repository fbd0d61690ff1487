//! Each SASL mechanism that needs no feature, its client against its server.

use core::hint::black_box;

use ehlo::syntax::sasl::{Challenge, Mechanisms, Response, SaslData, SaslMechanism};
use ehlo::{Command, Encode, Parsed, Policy, Reply};
use ehlo_sasl::{
    AnyClient, AnyServer, Channel, ClientExchange, ClientStep, Credentials, ServerExchange,
    ServerStep,
};

pub fn run() -> Option<()> {
    let password = Credentials::password(black_box("anna"), black_box("secret")).ok()?;
    let for_bob = password.acting_for(black_box("b,=ob")).ok()?;
    let token = Credentials::token(black_box("anna"), black_box("vF9dft4qmT==")).ok()?;
    let anonymous = Credentials::anonymous(black_box("anna")).ok()?;
    let all = [password, for_bob, token, anonymous, Credentials::external()];
    let mut count = 0_u32;
    for mechanism in SaslMechanism::ALL {
        let offered = Mechanisms::NONE.with(*black_box(mechanism));
        for credentials in &all {
            let client = AnyClient::strongest(offered, credentials, Channel::Protected);
            let Some((client, server)) = client.zip(AnyServer::new(*mechanism)) else { continue };
            count = count.checked_add(1)?;
            exchange(client, server)?;
        }
    }
    (count == 7).then_some(())
}

fn exchange(client: AnyClient<'_>, server: AnyServer) -> Option<()> {
    let (mut message, mut buffer, mut wire) = ([0; 512], [0; 1024], [0; 1024]);
    let (mut client, mut server) = (ClientExchange::new(client), ServerExchange::new(server));
    let command = client.start(&mut message).ok()?;
    let bytes = written(&command, &mut wire)?;
    let Ok(Parsed::Complete { value, .. }) = Command::parse(bytes, &Policy::STRICT) else {
        return None;
    };
    let Command::Auth { initial_response, .. } = value else { return None };
    let mut step = server.start(initial_response.as_ref(), &mut buffer);
    loop {
        let bytes = match step {
            ServerStep::Verify(_) => {
                step = server.accept_authorization(&mut buffer);
                continue;
            }
            ServerStep::Challenge(data) => written(&Challenge(data), &mut wire)?,
            ServerStep::Reply(reply) => written(&reply, &mut wire)?,
            ServerStep::Secret(_) => return None,
        };
        let Ok(Parsed::Complete { value, .. }) = Reply::parse(bytes, &Policy::STRICT) else {
            return None;
        };
        let response = match client.receive(&value, &mut message) {
            ClientStep::Respond(response) => response,
            ClientStep::Done(result) => return result.ok(),
        };
        let Response::Data(_) = response else { return None };
        let line = written(&response, &mut wire)?.strip_suffix(b"\r\n")?;
        let response = Response::Data(SaslData::parse(line).ok()?);
        step = server.receive(&response, &mut buffer);
    }
}

fn written<'w>(value: &impl Encode, wire: &'w mut [u8]) -> Option<&'w [u8]> {
    let length = value.encode(wire).ok()?;
    black_box(wire).get(..length)
}
