//! Each case is given to psql and to us, and must lead to the same place, or to the same refusal.

use crate::{
    cases::{Case, Expect, others, refused, urls},
    world::World,
};

#[test]
fn a_url_leads_where_libpq_leads() {
    hold(&urls());
}

#[test]
fn files_variables_and_keywords_lead_where_libpq_leads() {
    hold(&others());
}

#[test]
fn what_is_refused_is_explained() {
    tests::shows("refused-strings", &hold(&refused()));
}

#[test]
fn no_case_is_lost() {
    assert!(urls().len() + others().len() + refused().len() >= 289);
}

/// Holds the cases against psql and against us: what we say of those that we explain or refuse.
#[track_caller]
fn hold(cases: &[Case]) -> String {
    let world = World::new();
    let (mut wrong, mut explained) = (Vec::new(), String::new());
    for Case { string: template, environment, expect } in cases {
        let string = world.filled(template);
        let environment: Vec<_> =
            environment.iter().map(|(key, value)| ((*key).to_owned(), world.filled(value))).collect();
        let (theirs, ours) = (world.psql(&string, &environment), world.ours(&string, &environment));
        let holds = match expect {
            Expect::Same => theirs.is_ok() && theirs == ours,
            Expect::NeitherConnects | Expect::WeExplain => theirs.is_err() && ours.is_err(),
            Expect::WeRefuse => theirs.is_ok() && ours.is_err(),
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
        if let (Expect::WeExplain | Expect::WeRefuse, Err(error)) = (expect, &ours) {
            explained += &format!("{template}\n    {error}\n");
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    explained
}
