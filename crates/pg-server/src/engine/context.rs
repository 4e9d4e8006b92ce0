//! Docker's contexts, as the docker command keeps them beside `config.json`.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    EngineError, EngineSettings,
    endpoint::{Endpoint, PLAIN_PORT, TLS_PORT},
    target::{Naming, Target, certificates},
};

/// The engine of a context, which must exist and name one.
pub(super) fn by_name(name: &str, naming: &Naming, settings: &EngineSettings) -> Result<Target, EngineError> {
    let Some(config) = settings.config() else {
        return Err(naming.wrong_context(name, "neither DOCKER_CONFIG nor HOME says where it is kept"));
    };
    let contexts = config.join("contexts");
    let (id, meta) = find(&contexts.join("meta"), name).map_err(|what| naming.wrong_context(name, &what))?;
    let docker = &meta["Endpoints"]["docker"];
    let Some(host) = docker["Host"].as_str().filter(|host| !host.is_empty()) else {
        return Err(naming.wrong_context(name, "it names no Docker engine"));
    };
    let of_context = |error: EngineError| error.of(&naming.subject(host));
    let certificates_of = contexts.join("tls").join(id).join("docker");
    let has_certificates = certificates_of.is_dir();
    let endpoint = Endpoint::parse(host, if has_certificates { TLS_PORT } else { PLAIN_PORT }).map_err(of_context)?;
    let tls = match endpoint {
        Endpoint::Tcp { .. } if docker["SkipTLSVerify"] == true => {
            let reason = "its certificate is not to be verified, which testcontainers cannot do";
            return Err(of_context(EngineError::new(reason, "give the context its certificate authority")));
        }
        Endpoint::Tcp { .. } if has_certificates => Some(certificates(certificates_of).map_err(of_context)?),
        _ => None,
    };
    Ok(Target { endpoint, tls, naming: naming.clone() })
}

/// As for the docker command, a `config.json` that cannot be read names no context.
pub(super) fn current(settings: &EngineSettings) -> Option<String> {
    let config = json(&settings.config()?.join("config.json")).ok()?;
    config["currentContext"].as_str().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The directory's name and `meta.json` of a context. The name is a digest of the context's, which we
/// need not know: the file names the context.
fn find(directory: &Path, name: &str) -> Result<(PathBuf, Value), String> {
    let mut trouble = None;
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match json(&entry.path().join("meta.json")) {
            Ok(meta) if meta["Name"] == name => return Ok((entry.file_name().into(), meta)),
            Ok(_) => {}
            Err(error) => trouble = Some(error),
        }
    }
    Err(match trouble {
        Some(error) => format!("there is none of that name in {}, where {error}", directory.display()),
        None => format!("there is none of that name in {}", directory.display()),
    })
}

/// The error names the file.
pub(super) fn json(file: &Path) -> Result<Value, String> {
    let wrong = |error: &dyn fmt::Display| format!("{} cannot be read: {error}", file.display());
    let text = fs::read_to_string(file).map_err(|error| wrong(&error))?;
    serde_json::from_str(&text).map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::engine::{
        Engine,
        fake::Fake,
        named::tests::{leads, settings, with, write_certificates, write_context},
    };

    #[test]
    fn a_context_that_leads_nowhere_is_refused() {
        let config = Fake::directory("nowhere");
        let named = |name: &str| leads(&with(&settings(&config), |s| s.docker_context = Some(name.into())));
        let missing = named("missing");
        fs::write(config.join("config.json"), r#"{"currentContext":"gone"}"#).unwrap();
        let gone = leads(&settings(&config));
        write_context(&config, "1", "ssh", r#"{"Host":"ssh://ann@far"}"#);
        write_context(&config, "2", "empty", "{}");
        write_context(&config, "3", "lax", r#"{"Host":"tcp://lax","SkipTLSVerify":true}"#);
        write_context(&config, "4", "broken", "{");
        let homeless = EngineSettings { docker_context: Some("x".into()), ..EngineSettings::default() };
        let words =
            [missing, gone, named("ssh"), named("empty"), named("lax"), named("broken"), leads(&homeless)].join("\n");
        assert_data_eq!(
            words.replace(&config.display().to_string(), "CONFIG"),
            str![[r#"
DOCKER_CONTEXT is missing, and there is none of that name in CONFIG/contexts/meta
  help: list the contexts: docker context ls
  help: use the default one: docker context use default
the current docker context is gone, and there is none of that name in CONFIG/contexts/meta
  help: list the contexts: docker context ls
  help: use the default one: docker context use default
the docker context ssh is ssh://ann@far, and ssh is not supported here
  help: name an engine on this machine, or start PostgreSQL there and name it in DATABASE_URL
DOCKER_CONTEXT is empty, and it names no Docker engine
  help: list the contexts: docker context ls
  help: use the default one: docker context use default
the docker context lax is tcp://lax, and its certificate is not to be verified, which testcontainers cannot do
  help: give the context its certificate authority
DOCKER_CONTEXT is broken, and there is none of that name in CONFIG/contexts/meta, where CONFIG/contexts/meta/4/meta.json cannot be read: EOF while parsing an object at line 1 column 56
  help: list the contexts: docker context ls
  help: use the default one: docker context use default
DOCKER_CONTEXT is x, and neither DOCKER_CONFIG nor HOME says where it is kept
  help: list the contexts: docker context ls
  help: use the default one: docker context use default
"#]]
        );
        fs::remove_dir_all(config).unwrap();
    }

    /// Contexts that the real docker command made lead where it says they do.
    #[test]
    fn the_real_docker_command() {
        let config = Fake::directory("real");
        let docker = |arguments: &[&str]| {
            let mut command = Command::new("docker");
            command
                .args(arguments)
                .env("DOCKER_CONFIG", &config)
                .env_remove("DOCKER_HOST")
                .env_remove("DOCKER_CONTEXT");
            command.output().ok().filter(|output| output.status.success())
        };
        if docker(&["context", "ls"]).is_none() {
            println!("skipped: no docker command that knows contexts");
            return;
        }
        write_certificates(&config.join("certs"));
        let socket = Fake::start("real-engine", vec![]);
        let address = format!("unix://{}", socket.socket().display());
        docker(&["context", "create", "near", "--docker", &format!("host={address}")]).unwrap();
        docker(&["context", "create", "far", "--docker", "host=tcp://far:2999"]).unwrap();
        docker(&["context", "use", "far"]).unwrap();
        assert_eq!(leads(&settings(&config)), "tcp://far:2999 (the docker context far)");
        docker(&["context", "use", "near"]).unwrap();
        assert_eq!(leads(&settings(&config)), format!("{address} (the docker context near)"));
        let error = Engine::find(&settings(&config)).unwrap_err();
        assert!(error.reason.starts_with(&format!("the docker context near is {address}, and ")), "{error}");
        docker(&["context", "use", "default"]).unwrap();
        assert_eq!(leads(&settings(&config)), "usual");
        fs::remove_dir_all(config).unwrap();
    }
}
