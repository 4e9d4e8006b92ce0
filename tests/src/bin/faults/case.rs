//! One command, one fault, one place.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    thread,
    time::{Duration, Instant},
};

use crate::{
    condition::{self, Disk, Imposed},
    fault::{Act, Condition},
    plan::{At, Command, Fault, Plan},
    scene::{Ended, Scene},
    stage::{Stage, Undisturbed},
    state::State,
    verdict::{Verdict, judge_end},
};

/// A case, and its place among those of its row: a message's number, or which of the chosen ones it is.
pub(crate) struct Case<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) command: &'a Command,
    pub(crate) fault: &'a Fault,
    number: u64,
}

/// The cases of a version, those of one command and one fault together.
pub(crate) fn rows<'a>(plan: &'a Plan, stage: &'a Stage) -> Vec<VecDeque<Case<'a>>> {
    let commands = plan.commands.iter().filter_map(|command| Some((command, stage.undisturbed.get(&command.name)?)));
    let rows = commands.flat_map(|(command, undisturbed)| {
        let faults = plan.faults.iter().filter(|fault| fault.concerns(command));
        faults.map(move |fault| {
            let count = match fault.at {
                At::EachMessage => undisturbed.messages,
                At::Messages(count) | At::Moments(count) | At::Before(count) => count,
            };
            // The last of each stride: where there are fewer, the last one of all.
            let stride = stage.version.stride.min(count);
            let numbers = (1..=count).filter(move |number| (count - number) % stride == 0);
            numbers.map(move |number| Case { stage, command, fault, number }).collect()
        })
    });
    rows.collect()
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
        format!("{}/{}/{}", self.stage.version.major, self.command.name, self.fault.name)
    }

    /// `18/setup/connection-closed/57`.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.row(), self.number)
    }

    /// Runs it on a server of its own.
    pub(crate) fn run(&self, plan: &Plan) -> Verdict {
        let mut random = Random::of(plan.seed, &self.id());
        let undisturbed = &self.stage.undisturbed[&self.command.name];
        let condition = match &self.fault.act {
            Act::Condition(condition) => Some(condition),
            _ => None,
        };
        // Unmounted last.
        let disk;
        let start = self.stage.start(self.command);
        let cluster = if condition == Some(&Condition::DiskFull) {
            let place = pg_server::scratch().join(format!("aura-tests-disk-{}-{}", std::process::id(), random.next()));
            disk = Disk::mount(&place);
            let Some(disk) = &disk else { return Verdict::not_tried() };
            start.start_in(&disk.cluster(), &[])
        } else {
            start.start(condition::settings(condition))
        };
        let at = match self.fault.at {
            At::EachMessage => Some(self.number),
            At::Messages(count) => {
                // One in each part of the run.
                let (from, to) = ((self.number - 1) * undisturbed.messages, self.number * undisturbed.messages);
                Some(1 + from / count + random.below((to / count).saturating_sub(from / count)))
            }
            At::Moments(_) | At::Before(_) => None,
        };
        let scene = Scene::set(cluster, self.command, at.map(|at| (self.fault.act.clone(), at)));
        self.run_on(&scene, condition, undisturbed, &mut random)
    }

    fn run_on(
        &self,
        scene: &Scene,
        condition: Option<&Condition>,
        undisturbed: &Undisturbed,
        random: &mut Random,
    ) -> Verdict {
        if let (Act::Signal(signal, whom), At::Moments(_)) = (&self.fault.act, self.fault.at) {
            let delay = u64::try_from(undisturbed.elapsed.as_micros()).unwrap();
            scene.signal_after(Duration::from_micros(random.below(delay)), *signal, *whom);
        }
        let database = if self.command.start == "nothing" { "postgres" } else { "aura_db" };
        let imposed = condition.map(|condition| Imposed::on(scene, condition, database, random));
        let ended = scene.run(self.command);
        let is_condition = imposed.is_some();
        if let Some(imposed) = imposed {
            imposed.end(scene);
        } else if !scene.has_fired() {
            return Verdict::not_tried();
        }
        let mut verdict = judge_end(&ended, self.fault);
        scene.bring_up();
        if !matches!(self.fault.act, Act::Signal(nix::sys::signal::Signal::SIGKILL, _)) {
            self.look_for_left(scene, &mut verdict);
        }
        let state = State::of(&scene.cluster);
        let done = state.difference(&undisturbed.after);
        if ended.code == Some(0) && !done.is_empty() {
            verdict.add("success without everything done", &done);
        }
        if is_condition && ended.code != Some(0) {
            let changed = state.difference(&undisturbed.before);
            if !done.is_empty() && !changed.is_empty() {
                verdict.add("half-done", &changed);
            }
        }
        self.run_again(scene, undisturbed, &state, &mut verdict);
        scene.end_processes();
        verdict
    }

    /// The same without a fault: it ends where an undisturbed one does.
    fn run_again(&self, scene: &Scene, undisturbed: &Undisturbed, state: &State, verdict: &mut Verdict) {
        let again = scene.run(self.command);
        // A copy that was made is there, and a second one is refused.
        let is_refused = self.command.name == "clone" && again.code == Some(1) && *state == undisturbed.after;
        if again.code != Some(0) && !is_refused {
            verdict.add("second run failed", &last_lines(&again));
            return;
        }
        self.look_for_left(scene, verdict);
        let difference = State::of(&scene.cluster).difference(&undisturbed.after);
        if !difference.is_empty() {
            verdict.add("second run ends elsewhere", &difference);
        }
        let verified = scene.tool(&["db-verify"]);
        if verified.code != Some(0) {
            verdict.add("not verified after the second run", &last_lines(&verified));
        }
    }

    /// Processes and sessions that outlive the command.
    fn look_for_left(&self, scene: &Scene, verdict: &mut Verdict) {
        for (kind, look) in [
            ("processes left", &(|| scene.processes().join("\n")) as &dyn Fn() -> String),
            ("sessions left", &|| scene.sessions()),
        ] {
            let deadline = Instant::now() + Duration::from_secs(5);
            let mut left = look();
            while !left.is_empty() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(10));
                left = look();
            }
            if !left.is_empty() {
                verdict.add(kind, &left);
            }
        }
    }
}

fn last_lines(ended: &Ended) -> String {
    let code = ended.code.map_or_else(|| format!("signal {:?}", ended.signal), |code| format!("exit {code}"));
    let lines: Vec<_> = ended.stderr.lines().collect();
    let from = lines.len().saturating_sub(6);
    format!("{code}: {}", lines[from..].join("\n"))
}

/// Numbers that a seed and a name choose (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn of(seed: u64, name: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, name).hash(&mut hasher);
        Self(hasher.finish())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One below a bound; 0 where there is none.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}
