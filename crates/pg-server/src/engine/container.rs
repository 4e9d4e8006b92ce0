//! How a container is, as its engine says.

use serde_json::Value;

use super::{Engine, EngineError, image};

/// What the engine says of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It runs.
    Running {
        /// The port of the engine's machine that its only port is published on.
        port: Option<u16>,
        /// Its address in its own network.
        address: Option<String>,
    },
    /// It is there and does not run: its state, for people.
    Ended(String),
    /// There is none of this name.
    Absent,
}

impl Engine {
    /// How the container of this name is.
    pub(crate) fn container(&self, name: &str) -> Result<Seen, EngineError> {
        let path = format!("/containers/{}/json", image::encode(name));
        let mut answer = self.ask(&path)?;
        let wrong = |words: String| {
            EngineError::new(format!("{self} does not say how the container {name} is: {words}"), "restart that engine")
        };
        match answer.status {
            200 => {
                let found = serde_json::from_str(&answer.rest()).map_err(|error| wrong(error.to_string()))?;
                Ok(seen(&found))
            }
            404 => Ok(Seen::Absent),
            _ => Err(wrong(answer.message())),
        }
    }
}

fn seen(found: &Value) -> Seen {
    let state = &found["State"];
    let status = state["Status"].as_str().unwrap_or("in no known state");
    if status != "running" {
        return Seen::Ended(match (status, state["ExitCode"].as_i64()) {
            ("exited", Some(code)) => format!("stopped, exit code {code}"),
            (status, _) => status.to_owned(),
        });
    }
    let network = &found["NetworkSettings"];
    let bindings = network["Ports"].as_object().into_iter().flatten().filter_map(|(_, bindings)| bindings.as_array());
    let port = bindings.flatten().find_map(|binding| binding["HostPort"].as_str()?.parse().ok());
    let networks = network["Networks"].as_object().into_iter().flatten();
    let addresses = networks.filter_map(|(_, endpoint)| endpoint["IPAddress"].as_str());
    let address = addresses.filter(|address| !address.is_empty()).map(str::to_owned).next();
    Seen::Running { port, address }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read() {
        let running = r#"{"State": {"Status": "running", "ExitCode": 0}, "NetworkSettings": {
            "Ports": {"5433/tcp": null, "5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}]},
            "Networks": {"none": {"IPAddress": ""}, "bridge": {"IPAddress": "172.17.0.2"}}}}"#;
        for (text, expected) in [
            (running, Seen::Running { port: Some(32768), address: Some("172.17.0.2".to_owned()) }),
            (r#"{"State": {"Status": "running"}}"#, Seen::Running { port: None, address: None }),
            (r#"{"State": {"Status": "exited", "ExitCode": 137}}"#, Seen::Ended("stopped, exit code 137".to_owned())),
            (r#"{"State": {"Status": "created", "ExitCode": 0}}"#, Seen::Ended("created".to_owned())),
            ("{}", Seen::Ended("in no known state".to_owned())),
        ] {
            assert_eq!(seen(&serde_json::from_str(text).unwrap()), expected, "{text}");
        }
    }
}
