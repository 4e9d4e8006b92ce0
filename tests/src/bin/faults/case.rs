//! One command, one fault, one place.

use std::{
    collections::VecDeque,
    sync::atomic::Ordering::SeqCst,
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::{
    condition::{self, Disk, Imposed},
    crowd, directory,
    fault::{Act, Condition},
    plan::{At, Command, Crowd, Directory, Fault, Plan},
    random::Random,
    scene::{Ended, PATIENCE, Scene},
    stage::{Stage, Undisturbed},
    state::State,
    verdict::{Verdict, judge_end, last_lines},
};

/// A case, and its place among those of its row: a message's number, or which of the chosen ones it is.
pub(crate) struct Case<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) subject: Subject<'a>,
    number: u64,
}

/// What a case breaks.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    Command(&'a Command, &'a Fault),
    Directory(&'a Directory),
    Crowd(&'a Crowd),
}

impl Subject<'_> {
    /// The names of the command and of the fault.
    pub(crate) fn names(&self) -> (&str, &str) {
        match self {
            Self::Command(command, fault) => (&command.name, &fault.name),
            Self::Directory(directory) => ("directory", &directory.name),
            Self::Crowd(crowd) => ("crowd", &crowd.name),
        }
    }
}

/// The cases of a version, those of one command and one fault together.
pub(crate) fn rows<'a>(plan: &'a Plan, stage: &'a Stage) -> Vec<VecDeque<Case<'a>>> {
    let commands = plan.commands.iter().filter_map(|command| Some((command, stage.undisturbed.get(&command.name)?)));
    let rows = commands.flat_map(|(command, undisturbed)| {
        let faults = plan.faults.iter().filter(|fault| fault.concerns(command));
        faults.map(move |fault| {
            let numbers: Vec<_> = match fault.at {
                At::EachMessage => undisturbed.messages.clone(),
                At::Messages(count) | At::Moments(count) | At::Before(count) => (1..=count).collect(),
            };
            // The last one of all is among them.
            let chosen = numbers.into_iter().rev().step_by(stage.version.stride * command.stride);
            chosen.map(|number| Case { stage, subject: Subject::Command(command, fault), number }).collect()
        })
    });
    let one = |subject| VecDeque::from([Case { stage, subject, number: 1 }]);
    let directories = plan.directories.iter().map(|directory| one(Subject::Directory(directory)));
    let is_set = |crowd: &&Crowd| crowd.commands.iter().all(|name| stage.undisturbed.contains_key(name));
    let crowds = plan.crowds.iter().filter(is_set).map(|crowd| one(Subject::Crowd(crowd)));
    rows.chain(directories).chain(crowds).collect()
}

/// Puts rows, and the cases of each, in an order that the seed chooses.
pub(crate) fn shuffle(rows: &mut [VecDeque<Case<'_>>], seed: u64) {
    for row in &mut *rows {
        row.make_contiguous().sort_by_cached_key(|case| Random::of(seed, &case.id()).next());
    }
    rows.sort_by_cached_key(|row| row.front().map(|case| Random::of(seed, &case.row()).next()));
}

impl Case<'_> {
    /// `18/setup/connection-closed`.
    pub(crate) fn row(&self) -> String {
        let (command, fault) = self.subject.names();
        format!("{}/{command}/{fault}", self.stage.version.major)
    }

    /// `18/setup/connection-closed/57`.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.row(), self.number)
    }

    /// Runs it on a server of its own.
    pub(crate) fn run(&self, plan: &Plan) -> Verdict {
        match self.subject {
            Subject::Command(command, fault) => self.run_command(plan.seed, command, fault),
            Subject::Directory(directory) => directory::run(self.stage.version, directory),
            Subject::Crowd(crowd) => crowd::run(self.stage, crowd, &plan.commands),
        }
    }

    fn run_command(&self, seed: u64, command: &Command, fault: &Fault) -> Verdict {
        let mut random = Random::of(seed, &self.id());
        let undisturbed = &self.stage.undisturbed[&command.name];
        let condition = match &fault.act {
            Act::Condition(condition) => Some(condition),
            _ => None,
        };
        let start = self.stage.start(command);
        // Unmounted after its server has ended.
        let disk;
        let cluster = if condition == Some(&Condition::DiskFull) {
            let place = pg_server::scratch().join(format!("aura-tests-disk-{}-{}", std::process::id(), random.next()));
            disk = Disk::mount(&place);
            let Some(disk) = &disk else { return Verdict::not_tried() };
            start.start_in(&disk.cluster(), &[])
        } else {
            start.start(condition::settings(condition))
        };
        let at = match fault.at {
            At::EachMessage => Some(self.number),
            At::Messages(count) => {
                // One in each part of the run.
                let last = undisturbed.messages.last().copied().unwrap_or_default();
                let (from, to) = ((self.number - 1) * last / count, self.number * last / count);
                Some(1 + from + random.below(to - from))
            }
            At::Moments(_) | At::Before(_) => None,
        };
        let scene = Scene::set(cluster, command, at.map(|at| (fault.act.clone(), at)), PATIENCE);
        let mut place = at.map_or_else(String::new, |at| format!("message {at}: "));
        if let (Act::Signal(signal, whom), At::Moments(_)) = (&fault.act, fault.at) {
            let longest = u64::try_from(undisturbed.elapsed.as_micros()).unwrap();
            let delay = Duration::from_micros(random.below(longest));
            place = format!("after {} ms: ", delay.as_millis());
            scene.signal_after(delay, *signal, *whom);
        }
        let database = if command.start == "nothing" { "postgres" } else { "aura_db" };
        let imposed = condition.map(|condition| Imposed::on(&scene, condition, database, &mut random));
        let ended = scene.run(command);
        let is_condition = imposed.is_some();
        let blocked = imposed.as_ref().and_then(|imposed| imposed.blocked.clone());
        if let Some(imposed) = imposed {
            imposed.end(&scene);
        } else if !scene.has_fired() {
            return Verdict::not_tried();
        }
        let mut verdict = judge_end(&ended, command, fault);
        verdict.end.insert_str(0, &place);
        // After 5 s a command says what it waits for.
        let blocker = blocked.filter(|blocked| blocked.is_long.load(SeqCst)).map(|blocked| blocked.blocker.to_string());
        if blocker.is_some_and(|blocker| !ended.stderr.contains(&blocker)) {
            verdict.add("does not say which session it waits for", &last_lines(&ended));
        }
        scene.bring_up();
        if !matches!(fault.act, Act::Signal(Signal::SIGKILL, _)) {
            look_for_left(&scene, &mut verdict);
        }
        // After an error without a condition the second run tells enough.
        if ended.code == Some(0) || is_condition {
            judge_state(&scene, command, undisturbed, &ended, &mut verdict);
        }
        let changed = undisturbed.after.difference(&undisturbed.before);
        if command.is_keeping && condition == Some(&Condition::Well) && !changed.is_empty() {
            verdict.add("what was there is changed", &changed);
        }
        run_again(&scene, command, undisturbed, &mut verdict);
        scene.end_processes();
        verdict
    }
}

/// Compares what is there with what should be.
fn judge_state(scene: &Scene, command: &Command, undisturbed: &Undisturbed, ended: &Ended, verdict: &mut Verdict) {
    let state = State::of(&scene.cluster);
    let difference = state.difference(&undisturbed.after);
    if difference.is_empty() {
        return;
    }
    // A database that cannot be proved to be as it was is dropped: the next lease makes one.
    let is_dropped = |line: &str| line.starts_with("- ") && line.contains("_ready_#");
    // A server that ended in the last step of a reset: what is left of the old database is said, and the next one drops it.
    let is_said = |line: &str| line.contains("aura_db_before_reset") && ended.stderr.contains("could not be dropped");
    let is_left_to_the_next = match command.name.as_str() {
        "lease" => difference.lines().all(is_dropped),
        "reset" => difference.lines().all(is_said),
        _ => false,
    };
    if ended.code == Some(0) && !is_left_to_the_next {
        verdict.add("success without everything done", &difference);
    }
    // What a setup made before an error is used by the next one. What was there must not be lost.
    let lost = undisturbed.before.lost_in(&state);
    if command.name == "reset" && !lost.is_empty() {
        verdict.add("the old database is lost", &lost);
    }
}

/// The same without a fault: it ends where an undisturbed one does.
fn run_again(scene: &Scene, command: &Command, undisturbed: &Undisturbed, verdict: &mut Verdict) {
    let again = scene.run(command);
    // A copy that was made is not made again. Whether it is complete, the comparison below tells.
    let is_refused = again.code == Some(1) && ["clone", "first-clone"].contains(&command.name.as_str());
    if again.code != Some(0) && !is_refused {
        verdict.add("second run failed", &last_lines(&again));
        return;
    }
    look_for_left(scene, verdict);
    let difference = || State::of(&scene.cluster).difference(&undisturbed.after);
    let mut found = difference();
    // A test's process sweeps in a thread, and may end before that. `db-drop` waits for it.
    if command.name == "lease" && !found.is_empty() {
        scene.tool(&["db-drop", "none", "--yes", "--host", "127.0.0.1"]);
        found = difference();
    }
    if !found.is_empty() {
        verdict.add("second run ends elsewhere", &found);
    }
    // All other commands verify at their end.
    if !["clone", "first-clone", "lease", "migrate-psql"].contains(&command.name.as_str()) {
        return;
    }
    let verified = scene.tool(&["db-verify"]);
    if verified.code != Some(0) {
        verdict.add("not verified after the second run", &last_lines(&verified));
    }
}

/// Processes and sessions that outlive the command.
fn look_for_left(scene: &Scene, verdict: &mut Verdict) {
    for (kind, look) in [
        ("processes left", &(|| scene.processes().join("\n")) as &dyn Fn() -> String),
        ("sessions left", &|| scene.sessions()),
    ] {
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut left = look();
        while !left.is_empty() && Instant::now() < deadline {
            // Each look goes through all processes of the machine.
            thread::sleep(Duration::from_millis(50));
            left = look();
        }
        if !left.is_empty() {
            verdict.add(kind, &left);
        }
    }
}
