//! Many commands at the same time on one server.

use std::{collections::BTreeMap, thread};

use crate::{
    lease,
    plan::{Command, Crowd},
    scene::{PATIENCE, Scene},
    stage::Stage,
    state::State,
    verdict::{Verdict, last_lines},
};

/// The same command that waits for as long as it takes: so many use up the server's connections.
fn patient(command: &Command) -> Command {
    let mut patient = command.clone();
    if patient.run != [lease::ARGUMENT] {
        patient.run.extend(["--wait".to_owned(), "900".to_owned()]);
    }
    patient
}

/// All of them succeed, and what is left is what one leaves.
pub(crate) fn run(stage: &Stage, crowd: &Crowd, commands: &[Command]) -> Verdict {
    let named: Vec<_> =
        crowd.commands.iter().map(|name| commands.iter().find(|command| command.name == *name)).collect();
    let commands: Vec<_> = named.into_iter().map(|command| patient(command.unwrap())).collect();
    let commands: Vec<_> = commands.iter().collect();
    let scene = Scene::set(stage.start(commands[0]).start(&[]), commands[0], None, 5 * PATIENCE);
    let mut verdict = Verdict::survived();
    let ended: Vec<_> = thread::scope(|scope| {
        let started = (0..crowd.count).map(|number| {
            let (scene, command) = (&scene, commands[number % commands.len()]);
            scope.spawn(move || (command, scene.run(command)))
        });
        let started: Vec<_> = started.collect();
        started.into_iter().map(|run| run.join().unwrap()).collect()
    });
    // Numbers of processes and ports left out, many fail alike.
    let mut failed: BTreeMap<String, usize> = BTreeMap::new();
    for (command, ended) in ended.iter().filter(|(_, ended)| ended.code != Some(0)) {
        let error = ended.stderr.lines().find(|line| line.starts_with("error:")).unwrap_or("no error message");
        let error: String = error.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
        *failed.entry(format!("{}: {error}", command.name)).or_default() += 1;
    }
    if !failed.is_empty() {
        let shown: Vec<_> =
            failed.iter().map(|(error, count)| format!("{count} of {}: {error}", ended.len())).collect();
        verdict.add("failed among others", &shown.join("\n"));
    }
    // Test databases stay, as many as there were at once.
    let state = |state: &State| state.without("aura_db_");
    let expected = &stage.undisturbed[&commands[0].name].after;
    let difference = state(&State::of(&scene.cluster)).difference(&state(expected));
    if !difference.is_empty() {
        verdict.add("ends elsewhere", &difference);
    }
    let verified = scene.tool(&["db-verify"]);
    if verified.code != Some(0) {
        verdict.add("not verified after the second run", &last_lines(&verified));
    }
    scene.end_processes();
    verdict
}
