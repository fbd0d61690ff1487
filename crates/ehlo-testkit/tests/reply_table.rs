//! What a server answers to every command in every state, against `tables/replies.tsv`: derived from
//! the RFCs, with the section that says so on every row.

use std::fs;
use std::path::Path;

use ehlo::server::Event;
use ehlo::session::State;
use ehlo::{Code, Reply, Server, ServerConfig};
use ehlo_testkit::reply_table::{Answer, answers};

#[test]
fn every_command_in_every_state_is_answered_as_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables/replies.tsv");
    let table = fs::read_to_string(path).expect("the table");
    let rules: Vec<Rule<'_>> =
        table.lines().filter(|line| !line.starts_with('#')).map(Rule::parse).collect();
    let mut used = vec![false; rules.len()];
    let mut wrong = Vec::new();
    let answers = answers();
    for answer in &answers {
        let Some(at) = rules.iter().position(|rule| rule.matches(answer)) else {
            wrong.push(format!("no row: {answer:?}"));
            continue;
        };
        used[at] = true;
        let rule = &rules[at];
        if rule.reply(answer) != answer.reply {
            wrong.push(format!("{} wants {}: {answer:?}", rule.section, rule.reply(answer)));
        }
    }
    for (rule, _) in rules.iter().zip(&used).filter(|(_, used)| !*used) {
        wrong.push(format!("a row for nothing: {rule:?}"));
    }
    assert!(wrong.is_empty(), "{} answers:\n{}", wrong.len(), wrong.join("\n"));
    assert!(answers.len() > 9000 && rules.iter().all(|rule| !rule.section.is_empty()));
}

/// A row of the table.
#[derive(Debug)]
struct Rule<'t> {
    servers: &'t str,
    states: &'t str,
    commands: Vec<String>,
    reply: &'t str,
    section: &'t str,
}

impl<'t> Rule<'t> {
    fn parse(row: &'t str) -> Self {
        let columns: Vec<&str> = row.split('\t').collect();
        let [servers, states, commands, reply, section] = columns[..] else {
            panic!("{row:?} has {} columns", columns.len())
        };
        let commands =
            commands.split('|').map(|command| command.replace("\\x07", "\x07")).collect();
        Self { servers, states, commands, reply, section }
    }

    fn matches(&self, answer: &Answer) -> bool {
        let lists = |list: &str, name| list == "*" || list.split(',').any(|listed| listed == name);
        lists(self.servers, answer.server)
            && lists(self.states, answer.state)
            && self.commands.iter().any(|command| match command.strip_suffix('*') {
                Some(front) => answer.command.starts_with(front),
                None => answer.command == command,
            })
    }

    /// RFC 2034 §2: a server that does not offer enhanced status codes writes none.
    fn reply(&self, answer: &Answer) -> &'t str {
        let code = self.reply.split(' ').next().unwrap_or_default();
        if answer.server == "none" { code } else { self.reply }
    }
}

/// The states that are not in the table: nothing is read in them.
#[test]
fn nothing_is_read_before_the_greeting_and_after_the_end() {
    let mut server = Server::new(ServerConfig::DEFAULT);
    assert_eq!(server.state(), State::Greeting);
    for event in [Event::Greeting, Event::NeedReply] {
        let received = server.receive(b"NOOP\r\n");
        assert_eq!((received.consumed, received.event), (0, event));
    }
    let reply = Reply::new(Code::SERVICE_NOT_AVAILABLE, "not now");
    server.reply(&reply, &mut [0; 64]).expect("a greeting");
    assert_eq!(server.state(), State::Closed);
    let received = server.receive(b"NOOP\r\n");
    assert_eq!((received.consumed, received.event), (0, Event::Closed));
}
