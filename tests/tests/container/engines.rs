//! Engines that are not there, or not well: each a clear line within seconds, then the next rung, or exit code 4.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::net::UnixListener,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tests::{Run, Workspace, docker};

/// What stands between a machine and an engine's answer.
const BOUND: Duration = Duration::from_secs(5);

/// No container but by this engine: exit code 4. Whatever serves: the private cluster, and why no container.
#[track_caller]
fn both(workspace: Workspace, words: &str) -> Run {
    let workspace = workspace.with("DB_SERVER", "container");
    let started = Instant::now();
    let refused = workspace.run(&["db-setup"]).exits(4).complains(words);
    let elapsed = started.elapsed();
    assert!(elapsed < BOUND, "{elapsed:?}: {}", refused.stderr);
    assert!(!refused.stderr.contains("building"), "{}", refused.stderr);
    let line = refused.said("container: ").to_owned();
    let workspace = workspace.with("DB_SERVER", "auto");
    let setup = workspace.run(&["db-setup"]).exits(0).complains(&line);
    assert!(setup.stdout.contains("a new cluster, by the installed binaries"), "{}", setup.stdout);
    refused
}

#[test]
fn an_engine_that_does_not_answer_is_named_and_passed_by() {
    let workspace = || Workspace::new().with("DB_SERVER", "container");
    let absent = workspace();
    both(absent, "DOCKER_HOST is unix:///nowhere/docker.sock, and there is no such socket [start that engine");

    let stale = workspace();
    let socket = stale.root().join("docker.sock");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let host = format!("unix://{}", socket.display());
    both(stale.with("DOCKER_HOST", &host), "nobody listens: the engine is stopped [start");

    let silent = workspace();
    let socket = silent.root().join("docker.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let host = format!("unix://{}", socket.display());
    both(silent.with("DOCKER_HOST", &host), "accepts connections and does not answer within 3.0 s [restart");

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let host = format!("tcp://127.0.0.1:{closed}");
    both(workspace().with("DOCKER_HOST", &host), "nobody listens there [start that engine");

    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("tcp://{}", other.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in other.incoming().flatten() {
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        }
    });
    both(workspace().with("DOCKER_HOST", &host), "what answers there is no Docker engine: HTTP 404 Not Found [set");

    both(workspace().with("DOCKER_HOST", "ssh://user@db.example.invalid"), "DOCKER_HOST is ssh://");
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
    stop(0).complains("aura-kept was not looked at: ").complains("there is no such socket");
    drop(UnixListener::bind(&socket).unwrap());
    stop(0).complains("aura-kept was not looked at: ").complains("nobody listens");
    fs::remove_file(&socket).unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    stop(1).complains("the container aura-kept of this workspace may run still: ").complains("does not answer");
    // Above, nobody has taken the connection.
    thread::spawn(move || {
        for mut stream in listener.incoming().skip(1).flatten() {
            let _ = stream.write_all(b"HTTP/1.0 500 Internal Server Error\r\n\r\n");
        }
    });
    stop(1).complains("may run still: ").complains("HTTP 500").never_says("was running");
}

/// The registry is asked, and nobody is there: no network is needed for that.
#[test]
fn an_image_that_cannot_be_had_is_named_and_passed_by() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let workspace = workspace.with("POSTGRES_IMAGE", "127.0.0.1:1/aura-tests/absent:1");
    let run = both(workspace, "pulling 127.0.0.1:1/aura-tests/absent:1");
    assert!(run.stderr.contains("connection refused") && run.stderr.contains("docker pull"), "{}", run.stderr);
}

/// The engine makes the container, and cannot start it: nothing of it is left, and the next rung serves.
#[test]
fn an_image_that_does_not_start_is_named_and_passed_by() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let image = format!("aura-tests/empty:{}", std::process::id());
    let import = format!("tar --create --files-from /dev/null | docker import - {image}");
    assert!(Command::new("sh").args(["-c", &import]).stdout(Stdio::null()).status().unwrap().success());
    let workspace = workspace.with("POSTGRES_IMAGE", &image);
    workspace.run(&["db-setup"]).exits(4).complains(&format!("start a container of {image}: "));
    let workspace = workspace.with("DB_SERVER", "auto");
    for arguments in [&["db-setup"][..], &["db-setup", "--ephemeral"]] {
        let setup = workspace.run(arguments).exits(0).complains(&format!("start a container of {image}: "));
        assert!(setup.stdout.contains(" cluster, by the installed binaries"), "{}", setup.stdout);
    }
    assert_eq!(docker(&["ps", "--all", "--quiet", "--filter", &format!("ancestor={image}")]), "");
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
    assert_eq!(workspace.volumes(), [""; 0]);
    docker(&["rmi", &image]);
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
    workspace
        .run(&["db-setup"])
        .exits(4)
        .complains("the current docker context is mine, and")
        .complains("docker context");
    of("ssh://somewhere.example.invalid");
    workspace.run(&["db-setup"]).exits(4).complains("ssh://somewhere.example.invalid");
    of("unix:///nowhere/docker.sock");
    workspace.run(&["db-setup"]).exits(4).complains("the docker context mine is unix:///nowhere/docker.sock");
    of(&engine);
    let setup = workspace.run(&["db-setup"]).exits(0);
    assert!(setup.stdout.contains("(the docker context mine)"), "{}", setup.stdout);
    // Found again where it was left, whatever is meant now.
    of("unix:///nowhere/docker.sock");
    workspace.run(&["db-verify"]).exits(0);
    workspace.run(&["db-stop"]).exits(0).complains("stopped the container");
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
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("the program that speaks to the container engine is not there: no file "), "{said}");
}
