// Sends one message by nodemailer: what to do comes as JSON on standard input.
const nodemailer = require(process.argv[2]);
const fs = require("fs");
const facts = JSON.parse(fs.readFileSync(0, "utf8"));

const options = {
    host: "127.0.0.1",
    port: facts.port,
    name: "client.test",
    secure: facts.security === "implicit TLS",
    requireTLS: facts.security === "STARTTLS",
    ignoreTLS: facts.security === "without TLS",
    tls: { ca: fs.readFileSync(facts.authority), servername: "localhost" },
};
if (facts.mechanism === "XOAUTH2") options.auth = { type: "OAuth2", user: facts.name, accessToken: facts.password };
else if (facts.mechanism) options.auth = { user: facts.name, pass: facts.password };
if (facts.mechanism) options.authMethod = facts.mechanism;

nodemailer
    .createTransport(options)
    .sendMail({ envelope: facts.envelope, raw: fs.readFileSync(facts.file), dsn: facts.dsn })
    .then((sent) => console.log(sent.response))
    .catch((error) => {
        console.error(error.message);
        process.exit(1);
    });
