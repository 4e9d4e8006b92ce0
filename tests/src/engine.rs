//! Docker engines: the machine's, and one of a test's own, which may be stopped.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU8, Ordering},
    thread,
    time::Duration,
};

use crate::{directory::unique, skipped};

/// Runs docker on the machine's engine, which must do what it is told: both streams.
#[track_caller]
pub fn docker(arguments: &[&str]) -> String {
    told(&mut Command::new("docker"), arguments)
}

#[track_caller]
fn told(docker: &mut Command, arguments: &[&str]) -> String {
    let output = docker.args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "docker {}: {text}", arguments.join(" "));
    text
}

/// An engine with a socket, a network and data of its own; gone with the value.
pub struct Engine {
    directory: PathBuf,
    bridge: String,
    /// The address of the machine in the engine's network.
    address: String,
    port: u16,
    /// Whether it speaks TLS by TCP.
    has_tls: bool,
    daemon: Option<Child>,
}

impl Engine {
    /// Starts one that has an image of the machine's engine. Skipped where that takes more than the test has.
    pub fn start(image: &str) -> Option<Self> {
        Self::begin(image, false)
    }

    /// The same that speaks TLS by TCP, with those who have a certificate of the same authority.
    pub fn start_with_tls(image: &str) -> Option<Self> {
        Self::begin(image, true)
    }

    fn begin(image: &str, has_tls: bool) -> Option<Self> {
        static COUNT: AtomicU8 = AtomicU8::new(1);
        let has_ip = Command::new("ip").arg("-V").output().is_ok_and(|output| output.status.success());
        let has_daemon = Command::new("dockerd").arg("--version").output().is_ok();
        if !has_ip || !has_daemon || !is_root() {
            skipped("no second Docker engine can be started: it takes root, dockerd and ip");
            return None;
        }
        // Two at the same time, in this process or in another, need two networks.
        let pid = std::process::id();
        let [_, _, third, fourth] = (pid * 8 + u32::from(COUNT.fetch_add(1, Ordering::Relaxed))).to_be_bytes();
        let address = format!("10.{}.{fourth}.1", 128 + third % 64);
        let bridge = format!("aura{third}x{fourth}");
        let directory = unique("engine");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("daemon.json"), "{}").unwrap();
        for arguments in [
            vec!["link", "add", "name", &bridge, "type", "bridge"],
            vec!["addr", "add", &format!("{address}/24"), "dev", &bridge],
            vec!["link", "set", &bridge, "up"],
        ] {
            assert!(Command::new("ip").args(&arguments).status().unwrap().success(), "ip {arguments:?}");
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut engine = Self { directory, bridge, address, port, has_tls, daemon: None };
        if has_tls {
            engine.certify();
        }
        engine.resume();
        engine.load(image);
        Some(engine)
    }

    /// The `DOCKER_CERT_PATH` of its clients.
    pub fn certificates(&self) -> PathBuf {
        self.directory.join("client")
    }

    /// Makes an authority, and certificates of the engine and of its clients.
    fn certify(&self) {
        let script = "\
            new() { openssl req -newkey rsa:2048 -nodes -subj /CN=$1 -keyout $2 -out $1.csr; }\n\
            sign() { openssl x509 -req -days 2 -in $1.csr -CA client/ca.pem -CAkey ca.key -CAcreateserial -out $2 \
            -extfile $1.ext; }\n\
            mkdir client\n\
            printf 'basicConstraints=critical,CA:TRUE' >authority.ext\n\
            new authority ca.key\n\
            openssl x509 -req -days 2 -in authority.csr -signkey ca.key -out client/ca.pem -extfile authority.ext\n\
            printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth' >engine.ext\n\
            printf 'extendedKeyUsage=clientAuth' >client.ext\n\
            new engine key.pem && sign engine cert.pem\n\
            new client client/key.pem && sign client client/cert.pem\n";
        let made = Command::new("sh").args(["-ec", script]).current_dir(&self.directory).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    /// Gives it an image of the machine's engine.
    #[track_caller]
    pub fn load(&self, image: &str) {
        let copy = format!("docker save {image} | docker --host {} load --quiet", self.host());
        let status = Command::new("sh").args(["-c", &copy]).stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "{copy}");
    }

    /// Its `DOCKER_HOST`.
    pub fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.directory.display())
    }

    /// The same by TCP.
    pub fn tcp(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// The same by an address that is not a loopback one.
    pub fn tcp_elsewhere(&self) -> String {
        format!("tcp://{}:{}", self.address, self.port)
    }

    /// That address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Runs docker on it.
    #[track_caller]
    pub fn docker(&self, arguments: &[&str]) -> String {
        told(Command::new("docker").args(["--host", &self.host()]), arguments)
    }

    /// Stops it, and with it its containers.
    pub fn stop(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        let status = Command::new("sh").args(["-c", &format!("kill {}", daemon.id())]).status().unwrap();
        assert!(status.success());
        daemon.wait().unwrap();
    }

    /// Starts it again.
    pub fn resume(&mut self) {
        self.daemon = Some(self.spawn());
        let version = ["--host", &self.host(), "version"];
        for _ in 0..300 {
            if Command::new("docker").args(version).output().is_ok_and(|output| output.status.success()) {
                return;
            }
            // Another one may have changed the machine's packet filter in the same moment: then it ends.
            if self.daemon.as_mut().is_some_and(|daemon| daemon.try_wait().unwrap().is_some()) {
                self.daemon = Some(self.spawn());
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("the engine does not answer: {}", fs::read_to_string(self.directory.join("log")).unwrap());
    }

    fn spawn(&self) -> Child {
        let path = |name: &str| self.directory.join(name);
        let log = fs::File::options().create(true).append(true).open(path("log")).unwrap();
        let tls = match self.has_tls {
            true => vec![
                "--tlsverify".to_owned(),
                format!("--tlscacert={}", path("client/ca.pem").display()),
                format!("--tlscert={}", path("cert.pem").display()),
                format!("--tlskey={}", path("key.pem").display()),
            ],
            false => vec!["--tls=false".to_owned()],
        };
        Command::new("dockerd")
            .arg("--config-file")
            .arg(path("daemon.json"))
            .arg("--data-root")
            .arg(path("data"))
            .arg("--exec-root")
            .arg(path("exec"))
            .arg("--pidfile")
            .arg(path("pid"))
            .args(["--bridge", &self.bridge])
            .args(tls)
            .args(["--host", &self.host(), "--host", &self.tcp(), "--host", &self.tcp_elsewhere()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.daemon.is_some() {
            let remove = format!("docker --host {0} rm -fv $(docker --host {0} ps -aq)", self.host());
            let _ = Command::new("sh").args(["-c", &remove]).output();
            self.stop();
        }
        let _ = Command::new("ip").args(["link", "delete", &self.bridge]).output();
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
