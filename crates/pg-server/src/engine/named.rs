//! Which engine is meant: `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context.
//!
//! `DOCKER_HOST` comes before both (seen with docker 28; `docker --context` alone would come first).

use super::{
    EngineError, EngineSettings, context,
    endpoint::{Endpoint, PLAIN_PORT, TLS_PORT},
    set,
    target::{Naming, Target, certificates},
};

/// The engine that the settings name. A name that leads nowhere is an error.
pub(super) fn named(settings: &EngineSettings) -> Result<Option<Target>, EngineError> {
    let text =
        |value: &Option<String>| value.as_deref().map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
    if let Some(host) = text(&settings.docker_host) {
        return by_host(&host, settings).map(Some).map_err(|error| error.of(&Naming::DockerHost.subject(&host)));
    }
    let naming = match text(&settings.docker_context) {
        Some(name) => Naming::ContextVariable(name),
        None => match context::current(settings) {
            Some(name) => Naming::CurrentContext(name),
            None => return Ok(None),
        },
    };
    match naming.context() {
        Some(name) if name != "default" => context::by_name(name, &naming, settings).map(Some),
        _ => Ok(None),
    }
}

fn by_host(host: &str, settings: &EngineSettings) -> Result<Target, EngineError> {
    let tls = settings.tls_verify.as_deref().is_some_and(|value| !value.is_empty());
    let endpoint = Endpoint::parse(host, if tls { TLS_PORT } else { PLAIN_PORT })?;
    let tls = match endpoint {
        Endpoint::Tcp { .. } if tls => {
            let directory = set(settings.cert_path.as_deref()).or_else(|| settings.config()).unwrap_or_default();
            Some(certificates(directory)?)
        }
        _ => None,
    };
    Ok(Target { endpoint, tls, naming: Naming::DockerHost })
}

#[cfg(test)]
pub(super) mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::engine::fake::Fake;

    pub(in crate::engine) fn settings(config: &Path) -> EngineSettings {
        EngineSettings { docker_config: Some(config.to_owned()), ..EngineSettings::default() }
    }

    pub(in crate::engine) fn with(
        settings: &EngineSettings,
        change: impl FnOnce(&mut EngineSettings),
    ) -> EngineSettings {
        let mut settings = settings.clone();
        change(&mut settings);
        settings
    }

    /// Where the settings lead: the address and who named it, or the error.
    pub(in crate::engine) fn leads(settings: &EngineSettings) -> String {
        match named(settings) {
            Ok(Some(Target { endpoint, tls, naming })) => {
                let tls = if tls.is_some() { ", TLS" } else { "" };
                format!("{endpoint}{tls} ({naming})")
            }
            Ok(None) => "usual".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    /// A context as docker 28 writes it.
    pub(in crate::engine) fn write_context(config: &Path, id: &str, name: &str, docker: &str) {
        let directory = config.join("contexts/meta").join(id);
        fs::create_dir_all(&directory).unwrap();
        let meta = format!(r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{docker}}}}}"#);
        fs::write(directory.join("meta.json"), meta).unwrap();
    }

    pub(in crate::engine) fn write_certificates(directory: &Path) {
        fs::create_dir_all(directory).unwrap();
        for name in ["ca.pem", "cert.pem", "key.pem"] {
            fs::write(directory.join(name), "").unwrap();
        }
    }

    #[test]
    fn who_comes_first() {
        let config = Fake::directory("order");
        write_context(&config, "1", "one", r#"{"Host":"unix:///one.sock","SkipTLSVerify":false}"#);
        write_context(&config, "2", "two", r#"{"Host":"tcp://two","SkipTLSVerify":false}"#);
        let none = settings(&config);
        assert_eq!(leads(&none), "usual");
        fs::write(config.join("config.json"), "{\n\t\"auths\": {},\n\t\"currentContext\": \"one\"\n}").unwrap();
        let one = "unix:///one.sock (the docker context one)";
        assert_eq!(leads(&none), one);
        assert_eq!(leads(&with(&none, |s| s.docker_context = Some(String::new()))), one);
        let context = with(&none, |s| s.docker_context = Some("two".into()));
        assert_eq!(leads(&context), "tcp://two:2375 (the docker context two, named by DOCKER_CONTEXT)");
        assert_eq!(leads(&with(&none, |s| s.docker_context = Some("default".into()))), "usual");
        let both = with(&context, |s| s.docker_host = Some(" unix:///three.sock ".into()));
        assert_eq!(leads(&both), "unix:///three.sock (named by DOCKER_HOST)");
        assert_eq!(leads(&with(&context, |s| s.docker_host = Some(String::new()))), leads(&context));

        let home = Fake::directory("order-home");
        fs::rename(&config, home.join(".docker")).unwrap();
        assert_eq!(leads(&EngineSettings { home: Some(home.clone()), ..EngineSettings::default() }), one);
        fs::write(home.join(".docker/config.json"), "{").unwrap();
        assert_eq!(leads(&EngineSettings { home: Some(home.clone()), ..EngineSettings::default() }), "usual");
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn tls_by_variables_and_by_context() {
        let config = Fake::directory("tls");
        let plain = with(&settings(&config), |s| s.docker_host = Some("tcp://10.0.0.1".into()));
        assert_eq!(leads(&plain), "tcp://10.0.0.1:2375 (named by DOCKER_HOST)");
        let tls = with(&plain, |s| s.tls_verify = Some("0".into()));
        let missing = format!("DOCKER_HOST is tcp://10.0.0.1, and TLS needs {}/ca.pem, which is not", config.display());
        assert!(leads(&tls).starts_with(&missing), "{}", leads(&tls));
        write_certificates(&config.join("certs"));
        let tls = with(&tls, |s| s.cert_path = Some(config.join("certs")));
        assert_eq!(leads(&tls), "tcp://10.0.0.1:2376, TLS (named by DOCKER_HOST)");
        assert_eq!(leads(&with(&tls, |s| s.tls_verify = Some(String::new()))), leads(&plain));
        let socket = with(&tls, |s| s.docker_host = Some("unix:///x.sock".into()));
        assert_eq!(leads(&socket), "unix:///x.sock (named by DOCKER_HOST)");

        write_context(&config, "7", "far", r#"{"Host":"tcp://far:9","SkipTLSVerify":false}"#);
        let far = with(&tls, |s| (s.docker_host, s.docker_context) = (None, Some("far".into())));
        assert_eq!(leads(&far), "tcp://far:9 (the docker context far, named by DOCKER_CONTEXT)");
        write_certificates(&config.join("contexts/tls/7/docker"));
        assert_eq!(leads(&far), "tcp://far:9, TLS (the docker context far, named by DOCKER_CONTEXT)");
        fs::remove_dir_all(config).unwrap();
    }
}
