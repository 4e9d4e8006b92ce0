//! Many commands at the same time on one server.

use std::thread;

use crate::{
    plan::{Command, Crowd},
    scene::Scene,
    stage::Stage,
    state::State,
    verdict::{Verdict, last_lines},
};

/// All of them succeed, and what is left is what one leaves.
pub(crate) fn run(stage: &Stage, crowd: &Crowd, commands: &[Command]) -> Verdict {
    let named: Vec<_> =
        crowd.commands.iter().map(|name| commands.iter().find(|command| command.name == *name)).collect();
    let commands: Vec<_> = named.into_iter().map(Option::unwrap).collect();
    let scene = Scene::set(stage.start(commands[0]).start(&[]), commands[0], None);
    let mut verdict = Verdict::survived();
    let ended: Vec<_> = thread::scope(|scope| {
        let started = (0..crowd.count).map(|number| {
            let (scene, command) = (&scene, commands[number % commands.len()]);
            scope.spawn(move || (command, scene.run(command)))
        });
        let started: Vec<_> = started.collect();
        started.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let failed: Vec<_> = ended.iter().filter(|(_, ended)| ended.code != Some(0)).collect();
    if !failed.is_empty() {
        let shown: Vec<_> =
            failed.iter().map(|(command, ended)| format!("{}: {}", command.name, last_lines(ended))).collect();
        verdict.add("failed beside others", &format!("{} of {}\n{}", failed.len(), ended.len(), shown.join("\n")));
    }
    let difference = State::of(&scene.cluster).difference(&stage.undisturbed[&commands[0].name].after);
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
