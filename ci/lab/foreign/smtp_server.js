// smtp-server of npm: one port that begins without TLS and one inside TLS; each content goes to a file as it came.
const fs = require('fs');
const facts = JSON.parse(process.argv[2]);
const { SMTPServer } = require(`${facts.modules}/smtp-server`);
const [name, password] = facts.login;
let count = 0;

function listen(port, secure) {
    const server = new SMTPServer({
        name: 'mx.test', secure, authOptional: true, size: 50 * 1024 * 1024,
        key: fs.readFileSync(facts.key), cert: fs.readFileSync(facts.chain),
        authMethods: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
        onAuth(auth, session, done) {
            const is = auth.method === 'CRAM-MD5' ? auth.validatePassword(password) : auth.password === password;
            done(...(auth.username === name && is ? [null, { user: name }] : [new Error('wrong name or password')]));
        },
        onRcptTo(address, session, done) {
            if (address.address !== facts.refused) return done();
            done(Object.assign(new Error('no such mailbox'), { responseCode: 550 }));
        },
        onData(stream, session, done) {
            const file = `${String(count++).padStart(6, '0')}.eml`;
            const parts = [];
            stream.on('data', (part) => parts.push(part));
            stream.on('end', () => {
                fs.writeFileSync(`${facts.mail}/tmp/${file}`, Buffer.concat(parts));
                fs.renameSync(`${facts.mail}/tmp/${file}`, `${facts.mail}/new/${file}`);
                done(null, 'stored');
            });
        },
    });
    server.on('error', (error) => console.error(error.message));
    server.listen(port, '127.0.0.1');
}

listen(facts.ports.plain, false);
listen(facts.ports.implicit, true);
