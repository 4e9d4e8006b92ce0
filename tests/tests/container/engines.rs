//! Engines that are not there, or not well: each a clear line within seconds, then the next rung, or exit code 4.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader, Write},
    net::TcpListener,
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use tests::{Engine, Run, Workspace, docker};

/// No container but by this engine: exit code 4. Without that condition a private cluster serves, and the reason why no
/// container does is said too.
#[track_caller]
fn both(workspace: Workspace) -> [Run; 2] {
    let workspace = workspace.with("DB_SERVER", "container");
    let refused = workspace.run(&["db-setup"]).exits(4);
    let line = refused.said("container: ").to_owned();
    let workspace = workspace.with("DB_SERVER", "auto");
    let setup = workspace.run(&["db-setup"]).exits(0);
    assert!(setup.stderr.contains(&line), "no {line:?} in {}", setup.stderr);
    assert!(workspace.root().join("servers/clusters").read_dir().unwrap().any(|_| true));
    [refused, setup]
}

#[test]
fn an_engine_without_a_socket_is_named_and_passed_by() {
    let [refused, setup] = both(Workspace::new());
    refused.shows("no-socket");
    setup.shows("private-cluster-instead");
}

#[test]
fn an_engine_that_is_stopped_is_named_and_passed_by() {
    let workspace = Workspace::new();
    let socket = workspace.root().join("docker.sock");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let host = format!("unix://{}", socket.display());
    let [refused, _] = both(workspace.with("DOCKER_HOST", &host));
    refused.shows("stopped-engine");
}

#[test]
fn an_engine_that_does_not_answer_is_named_and_passed_by() {
    let workspace = Workspace::new();
    let socket = workspace.root().join("docker.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let host = format!("unix://{}", socket.display());
    let [refused, _] = both(workspace.with("DOCKER_HOST", &host));
    refused.shows("silent-engine");
}

#[test]
fn an_engine_at_a_closed_port_is_named_and_passed_by() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let [refused, _] = both(Workspace::new().with("DOCKER_HOST", &format!("tcp://127.0.0.1:{closed}")));
    refused.shows("closed-port");
}

#[test]
fn what_is_no_engine_is_named_and_passed_by() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("tcp://{}", other.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in other.incoming().flatten() {
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let [refused, _] = both(Workspace::new().with("DOCKER_HOST", &host));
    refused.shows("another-program");
}

#[test]
fn an_engine_by_ssh_is_named_and_passed_by() {
    let [refused, _] = both(Workspace::new().with("DOCKER_HOST", "ssh://user@db.example.invalid"));
    refused.shows("engine-by-ssh");
}

/// What runs in an engine that is not there does not run; of one that is there nobody knows.
#[test]
fn nothing_is_called_stopped_that_was_not_looked_at() {
    let workspace = Workspace::new();
    let socket = workspace.root().join("docker.sock");
    workspace.write("servers/made-by-pg-server", "");
    let record = format!(r#"{{"image":"i","durable":"no","volume":"v","engine":"unix://{}"}}"#, socket.display());
    workspace.write("servers/containers/aura-kept/container.json", record);
    let stop = |code| workspace.run(&["db-stop"]).exits(code);
    stop(0).shows("stop-without-socket");
    drop(UnixListener::bind(&socket).unwrap());
    stop(0).shows("stop-at-stopped-engine");
    fs::remove_file(&socket).unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    stop(1).shows("stop-at-silent-engine");
    // Above, nobody has taken the connection.
    thread::spawn(move || {
        for mut stream in listener.incoming().skip(1).flatten() {
            let _ = stream.write_all(b"HTTP/1.0 500 Internal Server Error\r\n\r\n");
        }
    });
    stop(1).shows("stop-at-broken-engine");
}

/// The registry is asked, and nobody is there: no network is needed for that.
#[test]
fn an_image_that_cannot_be_had_is_named_and_passed_by() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let workspace = workspace.with("POSTGRES_IMAGE", "127.0.0.1:1/aura-tests/absent:1");
    let [refused, _] = both(workspace);
    refused.shows("absent-image");
}

/// The engine makes the container, and cannot start it: nothing of it is left, and the next rung serves.
#[test]
fn an_image_that_does_not_start_is_named_and_passed_by() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let image = format!("aura-tests/empty:{}", std::process::id());
    let import = format!("tar --create --files-from /dev/null | docker import - {image}");
    assert!(Command::new("sh").args(["-c", &import]).stdout(Stdio::null()).status().unwrap().success());
    let workspace = workspace.with("POSTGRES_IMAGE", &image);
    workspace.run(&["db-setup"]).exits(4).shows("image-that-does-not-start");
    let workspace = workspace.with("DB_SERVER", "auto");
    workspace.run(&["db-setup"]).exits(0).shows("private-cluster-instead-of-image");
    workspace.run(&["db-setup", "--ephemeral"]).exits(0).shows("throw-away-cluster-instead-of-image");
    assert_eq!(docker(&["ps", "--all", "--quiet", "--filter", &format!("ancestor={image}")]), "");
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
    assert_eq!(workspace.volumes(), [""; 0]);
    docker(&["rmi", &image]);
}

/// What an engine hears of a pull's login, as base64 of JSON.
const LOGIN: &str =
    "eyJwYXNzd29yZCI6InNlY3JldCIsInNlcnZlcmFkZHJlc3MiOiJyZWdpc3RyeS5leGFtcGxlIiwidXNlcm5hbWUiOiJhbm4ifQ==";

#[test]
fn a_pull_takes_the_login_that_a_credential_helper_keeps() {
    let workspace =
        Workspace::new().with("DB_SERVER", "container").with("POSTGRES_IMAGE", "registry.example/postgres:18");
    let root = workspace.root();
    fs::create_dir(root.join("bin")).unwrap();
    let helper = "#!/bin/sh\n[ \"$1 $(cat)\" = 'get registry.example' ] && echo '{\"Username\":\"ann\",\"Secret\":\"secret\"}'\n";
    workspace.write("bin/docker-credential-test", helper);
    fs::set_permissions(root.join("bin/docker-credential-test"), fs::Permissions::from_mode(0o755)).unwrap();
    workspace.write("docker/config.json", r#"{"credsStore": "test"}"#);
    let listener = UnixListener::bind(root.join("docker.sock")).unwrap();
    let (sender, heard) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut question = String::new();
            let mut lines = BufReader::new(&stream);
            while !question.ends_with("\r\n\r\n") && lines.read_line(&mut question).unwrap() > 0 {}
            let answer = match question.split(['?', ' ']).nth(1) {
                Some("/_ping") => "200 OK\r\nApi-Version: 1.41\r\n\r\nOK",
                Some("/images/create") => "401 Unauthorized\r\n\r\n{\"message\": \"no\"}",
                _ => "404 Not Found\r\n\r\n{}",
            };
            write!(stream, "HTTP/1.0 {answer}").unwrap();
            sender.send(question).unwrap();
        }
    });
    let mut path = OsString::from(root.join("bin"));
    path.push(":");
    path.push(workspace.path());
    let setup = workspace
        .command(&["db-setup"])
        .env("PATH", path)
        .env("DOCKER_CONFIG", root.join("docker"))
        .env("DOCKER_HOST", format!("unix://{}", root.join("docker.sock").display()))
        .output()
        .unwrap();
    Run::of("cargo xtask db-setup".to_owned(), setup).exits(4).complains("was not pulled: no").never_says("secret");
    let pull = heard.iter().find(|question| question.starts_with("POST /images/create")).unwrap();
    assert!(pull.contains(&format!("X-Registry-Auth: {LOGIN}\r\n")), "{pull}");
}

/// The image is asked for, the container is made and looked at: all by TLS.
#[test]
fn an_engine_that_speaks_tls_serves() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let Some(engine) = Engine::start_with_tls(workspace.setting("POSTGRES_IMAGE")) else { return };
    let certificates = engine.certificates();
    let workspace = workspace
        .with("DOCKER_HOST", &engine.tcp())
        .with("DOCKER_TLS_VERIFY", "1")
        .with("DOCKER_CERT_PATH", &certificates.display().to_string());
    workspace.run(&["db-setup"]).exits(0).complains("starting the container");
    workspace.run(&["db-setup"]).exits(0).never_says("starting");
    workspace.run(&["db-verify"]).exits(0);
    assert!(workspace.run(&["db-status"]).exits(0).stdout.contains("running, port"));

    let absent = [("POSTGRES_IMAGE", "127.0.0.1:1/aura-tests/absent:1")];
    let pull = workspace.command(&["db-setup", "--ephemeral"]).envs(absent).output().unwrap();
    Run::of("cargo xtask db-setup --ephemeral".to_owned(), pull).exits(4).complains("was not pulled: ");

    let other = workspace.root().join("certificates");
    fs::create_dir(&other).unwrap();
    for (from, to) in [("cert.pem", "ca.pem"), ("cert.pem", "cert.pem"), ("key.pem", "key.pem")] {
        fs::copy(certificates.join(from), other.join(to)).unwrap();
    }
    let stranger = [("DOCKER_CERT_PATH", &other)];
    let refused = workspace.command(&["db-setup", "--ephemeral"]).envs(stranger).output().unwrap();
    Run::of("cargo xtask db-setup --ephemeral".to_owned(), refused).exits(4).complains("TLS fails: ");
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
    assert_eq!(engine.docker(&["ps", "--all", "--quiet"]), "");
}

/// The engine that the docker command would take is taken, or refused with a reason; never another.
#[test]
fn the_current_docker_context_is_honoured() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let engine = docker(&["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]).trim().to_owned();
    let config = workspace.root().join("docker");
    let of = |host: &str| {
        let meta = config.join("contexts/meta/anything");
        fs::create_dir_all(&meta).unwrap();
        let text = format!(r#"{{"Name": "mine", "Endpoints": {{"docker": {{"Host": "{host}"}}}}}}"#);
        fs::write(meta.join("meta.json"), text).unwrap();
    };
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("config.json"), r#"{"currentContext": "mine"}"#).unwrap();
    let workspace = workspace.with("DOCKER_CONFIG", &config.display().to_string());
    workspace.run(&["db-setup"]).exits(4).shows("context-without-files");
    of("ssh://somewhere.example.invalid");
    workspace.run(&["db-setup"]).exits(4).shows("context-by-ssh");
    of("unix:///nowhere/docker.sock");
    workspace.run(&["db-setup"]).exits(4).shows("context-without-socket");
    of(&engine);
    workspace.run(&["db-setup"]).exits(0).shows("engine-of-the-context");
    // Found again where it was left, whatever is meant now.
    of("unix:///nowhere/docker.sock");
    workspace.run(&["db-verify"]).exits(0);
    workspace.run(&["db-stop"]).exits(0);
    assert_eq!(workspace.containers("{{.State}}"), ["exited"]);
}

/// Where the helper program cannot be had, that is a reason like any other.
#[test]
fn a_helper_that_cannot_be_built_is_named_and_passed_by() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let alone = workspace.root().join("alone");
    fs::create_dir(&alone).unwrap();
    let program = alone.join("twin-xtask");
    fs::copy(workspace.command(&[]).get_program(), &program).unwrap();
    let output = workspace.command_of(&program, &["db-setup"]).output().unwrap();
    Run::of("cargo xtask db-setup".to_owned(), output).exits(4).shows("no-helper");
}
