//! Each case is given to psql and to us, and must lead to the same place, or to the same refusal.

use crate::{
    cases::{Case, Expect, all},
    world::World,
};

#[test]
fn what_we_make_of_a_string_is_what_libpq_makes_of_it() {
    let world = World::new();
    let cases = all();
    assert!(cases.len() >= 150, "{}", cases.len());
    let mut wrong = Vec::new();
    for Case { string, environment, expect } in &cases {
        let string = world.filled(string);
        let environment: Vec<_> =
            environment.iter().map(|(key, value)| ((*key).to_owned(), world.filled(value))).collect();
        let (theirs, ours) = (world.psql(&string, &environment), world.ours(&string, &environment));
        let holds = match expect {
            Expect::Same => theirs.is_ok() && theirs == ours,
            Expect::NeitherConnects => theirs.is_err() && ours.is_err(),
            Expect::WeRefuse(hint) => theirs.is_ok() && ours.as_ref().is_err_and(|error| error.contains(hint)),
            Expect::WeExplain(hint) => theirs.is_err() && ours.as_ref().is_err_and(|error| error.contains(hint)),
            Expect::WeRead => theirs.is_err() && ours.is_ok(),
            Expect::SameFrom(version) if world.version() >= *version => theirs.is_ok() && theirs == ours,
            Expect::SameBefore(version) if world.version() < *version => theirs.is_ok() && theirs == ours,
            Expect::SameFrom(_) | Expect::SameBefore(_) => theirs.is_err() && ours.is_ok(),
        };
        let shows =
            ours.as_ref().is_err_and(|error| ["app-pw", "p@ss", "two words"].iter().any(|pw| error.contains(pw)));
        if !holds || shows {
            wrong.push(format!("{string} {environment:?}: {expect:?}\n  psql: {theirs:?}\n  ours: {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
