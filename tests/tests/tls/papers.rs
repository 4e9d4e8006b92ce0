//! Certificates, keys and revocation lists as people make them: by the real openssl, from `papers.txt`.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use tests::{alone, kept};

use crate::table::rows;

/// A directory full of them, for the tests of every process.
pub(crate) struct Papers {
    directory: PathBuf,
}

/// What `LEAF`, `AUTHORITY` and `EMPOWERED` (as `openssl req -x509` makes them) stand for.
const LEAF: &str = "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature,keyEncipherment";
const AUTHORITY: &str =
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash";

const EMPOWERED: &str = "basicConstraints=critical,CA:TRUE";

/// A configuration of our own: a distribution's adds extensions, or takes them away.
const CONFIGURATION: &str = "\
[req]
distinguished_name = any
[any]
[ca]
default_ca = own
[own]
database = DIR/index.txt
new_certs_dir = DIR
serial = DIR/serial
crlnumber = DIR/crlnumber
unique_subject = no
policy = policy
default_md = default
[policy]
organizationName = optional
commonName = optional
[list]
authorityKeyIdentifier = keyid:always
";

impl Papers {
    /// Whether there is an openssl that makes them; LibreSSL's does not. It knows no `--version`.
    pub(crate) fn can_be_made() -> bool {
        let version = Command::new("openssl").arg("version").output();
        version.is_ok_and(|output| output.stdout.starts_with(b"OpenSSL ") && !output.stdout.starts_with(b"OpenSSL 1"))
    }

    /// The papers, made by the first test of a day: what they certify is valid for two.
    pub(crate) fn shared() -> Self {
        let today = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / (24 * 60 * 60);
        let mut key = DefaultHasher::new();
        (include_str!("papers.txt"), include_str!("papers.rs")).hash(&mut key);
        let name = |day: u64| format!("tests-papers-{:016x}-{day}", key.finish());
        let papers = Self { directory: kept(&name(today)) };
        let _alone = alone(&kept("tests-papers"));
        if !papers.path("made").exists() {
            // Those of yesterday may be in use still.
            for directory in [kept(&name(today - 2)), papers.directory.clone()] {
                let _ = fs::remove_dir_all(directory);
            }
            papers.make();
            papers.write("made", "");
        }
        papers
    }

    /// Where something lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Every certificate that a server may show: its name, and the files of chain and key.
    pub(crate) fn servers(&self) -> Vec<(String, PathBuf, PathBuf)> {
        let entries = fs::read_dir(&self.directory).unwrap().map(|entry| entry.unwrap().path());
        let certificates = entries.filter(|path| path.extension().is_some_and(|extension| extension == "crt"));
        let pairs = certificates.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path));
        pairs
            .map(|(name, path)| (name, path.clone(), path.with_extension("key")))
            .filter(|(_, _, key)| key.exists())
            .collect()
    }

    fn make(&self) {
        fs::create_dir_all(&self.directory).unwrap();
        for (name, content) in [("index.txt", ""), ("serial", "01\n"), ("crlnumber", "01\n"), ("no.pem", "nothing\n")] {
            self.write(name, content);
        }
        let configuration = CONFIGURATION.replace("DIR", &self.directory.display().to_string());
        self.write("openssl.cnf", &configuration);
        // Without a number, and without extensions, a list is of version 1.
        self.write("numberless.cnf", &configuration.replace("crlnumber = ", "# "));
        for [name, key, issuer, subject, extensions, valid, signed_with] in rows(include_str!("papers.txt")) {
            self.certificate(name, key, issuer, subject, extensions, valid, signed_with);
        }
        self.bundles();
        self.revocations();
        self.keys();
        self.homes();
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of the table")]
    fn certificate(
        &self,
        name: &str,
        key: &str,
        issuer: &str,
        subject: &str,
        extensions: &str,
        valid: &str,
        signed_with: &str,
    ) {
        let key_file = format!("{key}.pem");
        if !self.path(&key_file).exists() {
            let algorithm = match key.split('-').next().unwrap() {
                "rsa" => "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
                "pss" => "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048",
                "p256" => "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
                "p384" => "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
                "p521" => "-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
                _ => "-algorithm ed25519",
            };
            self.openssl(&format!("genpkey {algorithm} -out {key_file}"), &[]);
        }
        self.copy(&key_file, &format!("{name}.key"));
        self.openssl(&format!("req -new -config openssl.cnf -key {name}.key -out {name}.csr"), &["-subj", subject]);
        let mut arguments = format!("-in {name}.csr -out {name}.crt {signed_with}");
        if extensions != "-" {
            let named = [("LEAF", LEAF), ("AUTHORITY", AUTHORITY), ("EMPOWERED", EMPOWERED), (" ", "\n")];
            let lines = named.iter().fold(extensions.to_owned(), |lines, (name, text)| lines.replace(name, text));
            self.write(&format!("{name}.ext"), &lines);
            arguments += &format!(" -extfile {name}.ext");
        }
        let command = match (valid.split_once(".."), name == issuer) {
            (None, true) => format!("x509 -req -signkey {name}.key {arguments} -days 2"),
            (None, false) => {
                format!("x509 -req -CA {issuer}.crt -CAkey {issuer}.key -CAcreateserial {arguments} -days 2")
            }
            (Some((from, to)), is_own) => {
                let by = if is_own { "-selfsign".to_owned() } else { format!("-cert {issuer}.crt") };
                let arguments = arguments.replace("-sha256", "-md sha256");
                let dates = format!("-startdate {from}000000Z -enddate {to}000000Z");
                format!("ca -config openssl.cnf -batch -notext {by} -keyfile {issuer}.key {arguments} {dates}")
            }
        };
        self.openssl(&command, &[]);
    }

    /// What a server sends besides its own certificate, and roots with what stands beside them.
    fn bundles(&self) {
        for (name, parts) in [
            ("chained-sent", &["chained", "intermediate"][..]),
            ("by-powerless-sent", &["by-powerless", "powerless"]),
            ("authority-chained-sent", &["authority-chained", "intermediate"]),
            ("by-signless-sent", &["by-signless", "signless"]),
            ("by-deep-sent", &["by-deep", "deep", "shallow"]),
            ("v1-chained-sent", &["v1-chained", "intermediate"]),
            ("v1-powerless-sent", &["v1-powerless", "powerless"]),
            ("v1-deep-sent", &["v1-deep", "deep", "shallow"]),
            ("valid-with-root", &["valid", "root"]),
            ("root-and-intermediate", &["root", "intermediate"]),
            ("two-roots", &["other-root", "root"]),
        ] {
            let chain: String = parts.iter().map(|part| self.read(&format!("{part}.crt"))).collect();
            self.write(&format!("{name}.crt"), &chain);
            if self.path(&format!("{}.key", parts[0])).exists() {
                self.copy(&format!("{}.key", parts[0]), &format!("{name}.key"));
            }
        }
    }

    /// Lists by several authorities, in files and in directories as `openssl rehash` leaves them.
    fn revocations(&self) {
        let ca = |issuer: &str| format!("ca -config openssl.cnf -cert {issuer}.crt -keyfile {issuer}.key");
        let list = |issuer: &str, further: &str, file: &str| {
            self.openssl(&format!("{} -gencrl -md sha256 {further} -out {file}", ca(issuer)), &[]);
        };
        self.openssl(&format!("{} -revoke revoked.crt", ca("root")), &[]);
        list("root", "-crlexts list -crldays 2", "root.crl");
        list("root", "-crldays 2", "bare.crl");
        list("root", "-config numberless.cnf -crldays 2", "v1.crl");
        list("root", "-config numberless.cnf -crlexts list -crldays 2", "numberless.crl");
        list("root", "-crlexts list -crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z", "old.crl");
        list("intermediate", "-crlexts list -crldays 2", "intermediate.crl");
        list("other-root", "-crlexts list -crldays 2", "other.crl");
        self.write("both.crl", &(self.read("root.crl") + &self.read("intermediate.crl")));
        for (directory, files) in [
            ("rehashed", &["root.crl", "root.crt"][..]),
            ("rehashed-other", &["other.crl"]),
            ("not-rehashed", &["root.crl"]),
            ("empty", &[]),
        ] {
            fs::create_dir(self.path(directory)).unwrap();
            for file in files {
                self.copy(file, &format!("{directory}/{file}"));
            }
            if directory.starts_with("rehashed") {
                self.openssl(&format!("rehash {directory}"), &[]);
            }
        }
    }

    /// Keys that somebody made a mistake with.
    fn keys(&self) {
        for (name, mode) in [("open", 0o644), ("wide", 0o660)] {
            self.copy("client.key", &format!("{name}.pem"));
            self.permit(&format!("{name}.pem"), mode);
        }
        self.openssl("pkey -in client.key -aes256 -passout pass:s3cret -out encrypted.pem", &[]);
        self.openssl("rsa -in rsa.pem -aes256 -traditional -passout pass:s3cret -out encrypted-rsa.pem", &[]);
        self.openssl("rsa -in rsa.pem -traditional -out pkcs1.pem", &[]);
        self.openssl("ec -in client.key -out sec1.pem", &[]);
        self.openssl("pkey -in client.key -outform DER -out client.der", &[]);
        for name in ["no.pem", "encrypted.pem", "encrypted-rsa.pem", "pkcs1.pem", "sec1.pem", "client.der"] {
            self.permit(name, 0o600);
        }
    }

    /// Home directories whose `.postgresql` holds files for libpq's default names.
    fn homes(&self) {
        for (home, files) in [
            ("none", &[][..]),
            ("trusting", &[("root.crt", "root.crt")]),
            ("mistaken", &[("other-root.crt", "root.crt")]),
            ("cautious", &[("root.crt", "root.crt"), ("root.crl", "root.crl")]),
            ("bearer", &[("client.crt", "postgresql.crt"), ("client.key", "postgresql.key")]),
            ("keyless", &[("client.crt", "postgresql.crt")]),
            ("careless", &[("client.crt", "postgresql.crt"), ("open.pem", "postgresql.key")]),
        ] {
            let directory = format!("{home}/.postgresql");
            fs::create_dir_all(self.path(&directory)).unwrap();
            for (from, to) in files {
                self.copy(from, &format!("{directory}/{to}"));
            }
        }
    }

    fn openssl(&self, arguments: &str, further: &[&str]) {
        let mut command = Command::new("openssl");
        command.current_dir(&self.directory).args(arguments.split_whitespace()).args(further);
        let output = command.output().unwrap();
        assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    /// With its mode.
    fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).unwrap();
    }

    fn permit(&self, name: &str, mode: u32) {
        fs::set_permissions(Path::new(&self.path(name)), fs::Permissions::from_mode(mode)).unwrap();
    }
}
