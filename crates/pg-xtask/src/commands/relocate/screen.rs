//! A plan and an outcome as people and programs read them.

use std::collections::BTreeMap;

use pg_config::Identifier;
use pg_schema::{Finding, Item, Plan, Way};
use pg_workflow::{MoveOptions, MoveOutcome};
use serde_json::{Value, json as object};

use crate::escape;

/// For people.
pub(super) fn text(outcome: &MoveOutcome, options: &MoveOptions, is_verbose: bool) -> String {
    match outcome {
        MoveOutcome::Nothing(plan) => format!("nothing to move from {} to {}{}", plan.from, plan.to, staying(plan)),
        MoveOutcome::Planned(plan) if plan.moves.is_empty() => {
            format!("nothing to move from {} to {}{}", plan.from, plan.to, staying(plan))
        }
        MoveOutcome::Planned(plan) => planned(plan, options, is_verbose),
        MoveOutcome::Prepared => "prepared: the schema is there and the search_path is set; nothing was moved\n  \
             next: restart the app, and run cargo xtask db-move"
            .to_owned(),
        MoveOutcome::Moved(moved) => {
            let plan = &moved.plan;
            let tries = if moved.tries > 1 { format!(", at the {} try", ordinal(moved.tries)) } else { String::new() };
            let undo = options
                .undo
                .as_ref()
                .map(|path| format!("\n  to take it back: psql -v ON_ERROR_STOP=1 -f {}", path.display()));
            format!(
                "moved from {} to {}: {}{tries}; proved by the catalog, and by the app's own login{}{}\n  next: cargo xtask db-setup runs \
                 the migrations and verifies; sessions that keep an older search_path must be restarted",
                plan.from,
                plan.to,
                counted(&plan.moves),
                staying(plan),
                undo.unwrap_or_default()
            )
        }
    }
}

/// The plan, a part after the other.
fn planned(plan: &Plan, options: &MoveOptions, is_verbose: bool) -> String {
    let mut lines = vec![format!("to move from {} to {}: {}", plan.from, plan.to, counted(&plan.moves))];
    let way = match plan.way {
        Way::Rename => "the schema is renamed",
        Way::Statements => "a statement for each object",
    };
    lines.push(format!("  way: {way}; {}", plan.why));
    if plan.locks.needed > 0 {
        lines.push(format!(
            "  locks: {} in one transaction; the server can hold {}",
            plan.locks.needed, plan.locks.of_server
        ));
    }
    if is_verbose || plan.moves.len() <= SHOWN {
        lines.extend(plan.moves.iter().map(|item| format!("  moves: {}, of {}", item.described(), item.owner)));
    }
    lines.extend(plan.replaces.iter().map(|name| format!("  drops: table {name}, which is empty")));
    lines.extend(staying(plan).lines().skip(1).map(str::to_owned));
    for rewrite in &plan.rewrites {
        lines.extend(rewrite.diff().lines().map(|line| format!("  | {line}")));
    }
    lines.extend(plan.warnings.iter().map(|warning| format!("  warning: {warning}")));
    lines.extend(plan.in_the_way.iter().map(|finding| found("in the way", finding)));
    let breaks = if options.request.allow_broken { "will break" } else { "would break" };
    lines.extend(plan.breaks.iter().map(|finding| found(breaks, finding)));
    if is_verbose {
        lines.extend(plan.statements().iter().map(|statement| format!("  {statement};")));
    }
    let lines: Vec<_> = lines.iter().map(|line| escape::lines(line)).collect();
    lines.join("\n")
}

/// More are only counted, without `-v`.
const SHOWN: usize = 40;

fn found(label: &str, finding: &Finding) -> String {
    format!("  {label}: {}\n    help: {}", finding.what, finding.help)
}

/// How many of each kind.
fn counted(items: &[Item]) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for item in items {
        *kinds.entry(item.kind).or_default() += 1;
    }
    let kinds = kinds.into_iter().map(|(kind, count)| match (kind, count) {
        (kind, 1) => format!("1 {kind}"),
        ("statistics", count) => format!("{count} statistics"),
        (kind, count) if kind.ends_with('s') => format!("{count} {kind}es"),
        (kind, count) if kind.ends_with('y') => format!("{count} {}ies", kind.trim_end_matches('y')),
        (kind, count) => format!("{count} {kind}s"),
    });
    kinds.collect::<Vec<_>>().join(", ")
}

fn staying(plan: &Plan) -> String {
    let mut reasons: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for (item, why) in &plan.stays {
        reasons.entry(why).or_default().push(item);
    }
    let line = |(why, items): (&str, Vec<&Item>)| match items.as_slice() {
        [item] => format!("\n  stays: {}: {why}", item.described()),
        items => format!("\n  stays: {} objects: {why}", items.len()),
    };
    escape::lines(&reasons.into_iter().map(line).collect::<String>())
}

fn ordinal(number: u32) -> String {
    match number {
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        number => format!("{number}th"),
    }
}

/// For programs.
pub(super) fn json(outcome: &MoveOutcome, schema: &Identifier) -> String {
    let document = match outcome {
        MoveOutcome::Nothing(plan) => whole("nothing", plan),
        MoveOutcome::Planned(plan) => whole("planned", plan),
        MoveOutcome::Prepared => object!({ "version": 1, "outcome": "prepared", "to": schema.as_str() }),
        MoveOutcome::Moved(moved) => {
            let mut document = whole("moved", &moved.plan);
            document["statements"] = object!(moved.statements);
            document["tries"] = object!(moved.tries);
            document
        }
    };
    escape::json(&document)
}

fn whole(outcome: &str, plan: &Plan) -> Value {
    let item = |item: &Item| {
        object!({
            "kind": item.kind, "name": item.name.as_str(), "owner": item.owner.as_str(),
            "extension": item.extension.as_ref().map(Identifier::as_str),
        })
    };
    let findings = |list: &[Finding]| -> Vec<Value> {
        list.iter().map(|finding| object!({ "what": finding.what, "help": finding.help })).collect()
    };
    let stays: Vec<_> = plan
        .stays
        .iter()
        .map(|(kept, why)| {
            let mut value = item(kept);
            value["why"] = object!(why);
            value
        })
        .collect();
    object!({
        "version": 1,
        "outcome": outcome,
        "from": plan.from.as_str(),
        "to": plan.to.as_str(),
        "way": match plan.way { Way::Rename => "rename", Way::Statements => "statements" },
        "why": plan.why,
        "moves": plan.moves.iter().map(item).collect::<Vec<_>>(),
        "stays": stays,
        "drops": plan.replaces,
        "rewrites": plan.rewrites.iter().map(pg_schema::Rewrite::diff).collect::<Vec<_>>(),
        "locks": { "needed": plan.locks.needed, "of_server": plan.locks.of_server },
        "in_the_way": findings(&plan.in_the_way),
        "breaks": findings(&plan.breaks),
        "warnings": plan.warnings,
        "statements": plan.statements(),
    })
}
