import jakarta.mail.Message;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Properties;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Sends a file by Jakarta Mail: PORT SECURITY MECHANISM AUTHORITY NAME PASSWORD FILE CHUNK; "-" and 0 for none. */
public class Mail {
    public static void main(String[] arguments) throws Exception {
        String security = arguments[1], mechanism = arguments[2];
        trust(arguments[3]);
        String protocol = security.equals("implicit TLS") ? "smtps" : "smtp", prefix = "mail." + protocol + ".";
        Properties settings = new Properties();
        settings.put(prefix + "host", "localhost");
        settings.put(prefix + "port", arguments[0]);
        settings.put(prefix + "localhost", "client.test");
        settings.put(prefix + "from", "a@test");
        settings.put(prefix + "timeout", "15000");
        settings.put(prefix + "allow8bitmime", "true");
        settings.put(prefix + "ssl.checkserveridentity", "true");
        settings.put(prefix + "starttls.enable", String.valueOf(security.equals("STARTTLS")));
        settings.put(prefix + "starttls.required", String.valueOf(security.equals("STARTTLS")));
        if (!arguments[7].equals("0")) settings.put(prefix + "chunksize", arguments[7]);
        boolean login = !mechanism.equals("-");
        if (login) {
            settings.put(prefix + "auth", "true");
            // Java's own SASL has this one, Jakarta Mail has the others.
            boolean sasl = mechanism.equals("CRAM-MD5");
            settings.put(prefix + (sasl ? "sasl.enable" : "auth.mechanisms"), sasl ? "true" : mechanism);
            if (sasl) settings.put(prefix + "sasl.mechanisms", mechanism);
        }
        Session session = Session.getInstance(settings);
        MimeMessage message = new MimeMessage(session, new FileInputStream(arguments[6]));
        Transport transport = session.getTransport(protocol);
        transport.connect("localhost", login ? arguments[4] : null, login ? arguments[5] : null);
        transport.sendMessage(message, new InternetAddress[] {new InternetAddress("u@test")});
        transport.close();
    }

    private static void trust(String authority) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        store.setCertificateEntry("test", CertificateFactory.getInstance("X.509").generateCertificate(new FileInputStream(authority)));
        TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trusted.getTrustManagers(), null);
        SSLContext.setDefault(context);
    }
}
