//! Pulling an image, and telling how far it is.

use std::{io, time::Instant};

use super::{
    Engine, EngineError,
    credentials::credentials,
    http::{Question, Trouble},
    image::{encode_value, reference, registry},
    progress::Progress,
    text::clean,
};
use crate::Say;

pub(super) fn pull(engine: &Engine, image: &str, say: Say<'_>) -> Result<(), EngineError> {
    let limits = engine.limits;
    say(&format!("pulling {}", clean(image)));
    let reference = reference(image);
    let path = format!("/images/create?fromImage={}&tag={}", encode_value(reference.name), encode_value(reference.tag));
    let credentials = credentials(&engine.settings, registry(reference.name));
    let question = Question { method: "POST", path: &path, credentials: credentials.as_deref() };
    let start = Instant::now();
    let mut answer = engine.target.ask(&question, limits.to_pull()).map_err(|trouble| match trouble {
        Trouble::Silent(_) => silent(engine, image, start),
        trouble => engine.target.error(trouble),
    })?;
    if answer.status >= 400 {
        return Err(failed(engine, image, &answer.message()));
    }
    let mut progress = Progress::default();
    let mut told = Instant::now();
    loop {
        let line = answer.line().map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => silent(engine, image, start),
            _ => failed(engine, image, &format!("the connection to the engine broke: {}", clean(&error.to_string()))),
        })?;
        let Some(line) = line else { break };
        let Ok(event) = serde_json::from_slice(&line) else { continue };
        progress.take(&event).map_err(|words| failed(engine, image, &words))?;
        if told.elapsed() >= limits.report && progress.is_new() {
            say(&format!("\r{progress}"));
            progress.told();
            told = Instant::now();
        }
    }
    // Where the connection just ends, nothing tells a success from an engine that was stopped.
    if engine.has_image(image)? { Ok(()) } else { Err(failed(engine, image, "the engine ended the pull early")) }
}

fn silent(engine: &Engine, image: &str, start: Instant) -> EngineError {
    let limits = engine.limits;
    let words = if start.elapsed() >= limits.pull {
        format!("given up after {} minutes", limits.pull.as_secs() / 60)
    } else {
        format!("no progress for {:.1} s: the registry or the way to it hangs", limits.silence.as_secs_f64())
    };
    failed(engine, image, &words)
}

fn failed(engine: &Engine, image: &str, words: &str) -> EngineError {
    let image = clean(image);
    let remedy = format!("pull it yourself, with your logins: {} pull {image}", engine.client());
    EngineError::new(format!("{image} was not pulled: {words}"), remedy)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::engine::{
        EngineSettings, Limits,
        fake::{Act, Fake, real_engine, registry as fake_registry},
        named,
        tests::SHORT,
    };

    const OK: &str = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n";

    fn engine(fake: &Fake, limits: Limits) -> Engine {
        let docker_host = Some(format!("unix://{}", fake.socket().display()));
        let settings = EngineSettings { docker_host, ..EngineSettings::default() };
        let target = named::named(&settings).unwrap().unwrap();
        Engine { target, program: "Docker 1".into(), settings: EngineSettings::default(), limits }
    }

    /// What a pull of `r:5000/a:b` says, and how it ends, if the engine answers so.
    fn pulled(name: &str, acts: Vec<Act>, limits: Limits) -> (Vec<String>, Result<(), String>) {
        let fake = Fake::start(name, vec![acts, vec![Act::Say("HTTP/1.0 200 OK\r\n\r\n{}")]]);
        let mut said = Vec::new();
        let outcome = engine(&fake, limits).pull("r:5000/a:b", &mut |line| said.push(line.to_owned()));
        let first = fake.heard().swap_remove(0);
        assert!(first.starts_with("POST /images/create?fromImage=r%3A5000%2Fa&tag=b HTTP/1.0\r\n"), "{first}");
        (said, outcome.map_err(|error| error.to_string()))
    }

    fn lines(events: &[Value]) -> Act {
        Act::Text(OK.to_owned() + &events.iter().map(|event| format!("{event}\r\n")).collect::<String>())
    }

    #[test]
    fn a_pull_tells_how_far_it_is() {
        let layer = |id: &str, status: &str| json!({"status": status, "progressDetail": {}, "id": id});
        let bytes = |id: &str, status: &str, current: u64| json!({"status": status, "id": id, "progressDetail": {"current": current, "total": 20_000_000}});
        let events = [
            json!({"status": "Pulling from a", "id": "b"}),
            layer("1", "Pulling fs layer"),
            layer("2", "Pulling fs layer"),
            layer("3", "Already exists"),
            bytes("1", "Downloading", 5_000_000),
            bytes("1", "Downloading", 5_100_000),
            layer("2", "Waiting"),
            bytes("2", "Downloading", 1_000_000),
            layer("1", "Download complete"),
            bytes("1", "Extracting", 1_000_000),
            layer("1", "Pull complete"),
            layer("2", "Pull complete"),
            json!({"status": "Digest: sha256:00"}),
        ];
        let (said, outcome) = pulled("progress", vec![lines(&events)], SHORT);
        outcome.unwrap();
        let expected = [
            "pulling r:5000/a:b",
            "\r0 of 1 layers",
            "\r0 of 2 layers",
            "\r1 of 3 layers",
            "\r1 of 3 layers, 5 MB",
            "\r1 of 3 layers, 6 of 40 MB",
            "\r1 of 3 layers, 21 of 40 MB",
            "\r2 of 3 layers, 21 of 40 MB",
            "\r3 of 3 layers, 40 of 40 MB",
        ];
        assert_eq!(said, expected);
        let seldom = Limits { report: Duration::from_secs(60), ..SHORT };
        assert_eq!(pulled("seldom", vec![lines(&events)], seldom).0, ["pulling r:5000/a:b"]);
    }

    #[test]
    fn the_engines_own_words() {
        let refused = "HTTP/1.0 404 Not Found\r\n\r\n{\"message\":\"manifest unknown\"}";
        let events = [
            json!({"status": "Pulling from a", "id": "b"}),
            json!({"error": "x", "errorDetail": {"message": "no\u{7}\nspace"}}),
        ];
        let words = [
            pulled("refused", vec![Act::Say(refused)], SHORT).1.unwrap_err(),
            pulled("midway", vec![lines(&events)], SHORT).1.unwrap_err(),
            pulled("short", vec![lines(&[json!({"error": "x"})])], SHORT).1.unwrap_err(),
        ];
        assert_data_eq!(
            words.join("\n"),
            str![[r#"
r:5000/a:b was not pulled: manifest unknown
  help: pull it yourself, with your logins: docker pull r:5000/a:b
r:5000/a:b was not pulled: no space
  help: pull it yourself, with your logins: docker pull r:5000/a:b
r:5000/a:b was not pulled: x
  help: pull it yourself, with your logins: docker pull r:5000/a:b
"#]]
        );
    }

    #[test]
    fn a_pull_that_stalls_is_given_up() {
        let hangs = pulled("hangs", vec![Act::Stall], SHORT).1.unwrap_err();
        let begun = lines(&[json!({"status": "Pulling fs layer", "id": "1"})]);
        let (said, outcome) = pulled("stalls", vec![begun, Act::Stall], SHORT);
        assert_eq!(said.len(), 2);
        let stalls = outcome.unwrap_err();
        // One that never falls silent and never ends.
        let waiting = || Act::Say("{\"status\":\"Waiting\",\"id\":\"1\"}\r\n");
        let mut acts = vec![Act::Say(OK)];
        acts.extend((0..1000).flat_map(|_| [waiting(), Act::Pause]));
        let short = Limits { pull: Duration::from_millis(200), ..SHORT };
        let endless = pulled("endless", acts, short).1.unwrap_err();
        assert_data_eq!(
            [hangs, stalls, endless].join("\n"),
            str![[r#"
r:5000/a:b was not pulled: no progress for 0.3 s: the registry or the way to it hangs
  help: pull it yourself, with your logins: docker pull r:5000/a:b
r:5000/a:b was not pulled: no progress for 0.3 s: the registry or the way to it hangs
  help: pull it yourself, with your logins: docker pull r:5000/a:b
r:5000/a:b was not pulled: given up after 0 minutes
  help: pull it yourself, with your logins: docker pull r:5000/a:b
"#]]
        );
    }

    #[test]
    fn an_end_is_no_success() {
        let absent = vec![Act::Say("HTTP/1.0 404 Not Found\r\n\r\n{}")];
        let fake = Fake::start("end", vec![vec![Act::Say(OK)], absent]);
        let error = engine(&fake, SHORT).pull("a", &mut |_| {}).unwrap_err().to_string();
        assert_data_eq!(
            error,
            str![[r#"
a was not pulled: the engine ended the pull early
  help: pull it yourself, with your logins: docker pull a
"#]]
        );
    }

    #[test]
    fn the_real_engine_cannot_pull_what_is_nowhere() {
        let Some(settings) = real_engine() else { return };
        let engine = Engine::find(&settings).unwrap();
        let error = engine.pull("localhost:1/none:1", &mut |_| {}).unwrap_err().to_string();
        assert!(error.starts_with("localhost:1/none:1 was not pulled: ") && error.contains(":1/"), "{error}");
        let error = engine.pull("No Name", &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("invalid reference format"), "{error}");
    }

    #[test]
    fn the_real_engine_pulls() {
        let Some(settings) = real_engine() else { return };
        let engine = Engine::find(&settings).unwrap();
        let image = format!("localhost:{}/pg-server-test/empty:1", fake_registry());
        assert!(!engine.has_image(&image).unwrap());
        let mut said = Vec::new();
        match engine.pull(&image, &mut |line| said.push(line.to_owned())) {
            Ok(()) => {}
            // An engine in a virtual machine, or outside of our container, has another localhost.
            Err(error) if error.reason.contains("connection refused") => {
                println!("skipped: {error}");
                return;
            }
            Err(error) => panic!("{error}"),
        }
        assert!(engine.has_image(&image).unwrap());
        assert_eq!(said[0], format!("pulling {image}"));
        let path = format!("/images/{image}");
        let question = Question { method: "DELETE", path: &path, credentials: None };
        assert_eq!(engine.target.ask(&question, engine.limits.to_answer()).unwrap().status, 200);
        assert!(!engine.has_image(&image).unwrap());
    }
}
