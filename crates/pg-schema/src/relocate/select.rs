//! What moves, and what stays.

use std::collections::{HashMap, HashSet};

use super::{
    Request,
    item::{Item, Key},
};

/// Parts what moves from what stays. A sequence, a partition or a constructor goes with what it belongs to.
pub(super) fn select(items: Vec<Item>, request: &Request) -> (Vec<Item>, Vec<(Item, String)>) {
    let matches = |patterns: &[String], item: &Item| patterns.iter().any(|pattern| like(pattern, item.name.as_str()));
    let reason = |item: &Item| match &item.extension {
        Some(extension) => Some(format!("it belongs to the extension {extension}")),
        None if !request.only.is_empty() && !matches(&request.only, item) => Some("--only does not name it".to_owned()),
        None if matches(&request.except, item) => Some("--except names it".to_owned()),
        None if !item.is_apps && !request.all_owners => {
            Some(format!("it belongs to {}, another role (--all-owners moves it)", item.owner))
        }
        None => None,
    };
    let by_key: HashMap<Key, &Item> = items.iter().map(|item| (item.key, item)).collect();
    let whole = |item: &Item| {
        let mut top = item;
        let mut seen = HashSet::new();
        while let Some(parent) = top.parent.as_ref().and_then(|parent| by_key.get(parent))
            && top.extension.is_none()
            && seen.insert(parent.key)
        {
            top = parent;
        }
        reason(top)
    };
    let reasons: Vec<_> = items.iter().map(whole).collect();
    let (mut moves, mut stays) = (Vec::new(), Vec::new());
    for (item, reason) in items.into_iter().zip(reasons) {
        match reason {
            Some(reason) => stays.push((item, reason)),
            None => moves.push(item),
        }
    }
    (moves, stays)
}

/// Whether a name is as a pattern has it: `*` is any letters, `?` any one.
fn like(pattern: &str, name: &str) -> bool {
    let mut letters = pattern.chars();
    match letters.next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = letters.as_str();
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| like(rest, &name[at..]))
        }
        Some(letter) => {
            let mut others = name.chars();
            others.next().is_some_and(|other| letter == '?' || letter == other)
                && like(letters.as_str(), others.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn patterns_are_like_those_of_a_shell() {
        for (pattern, name) in
            [("*", ""), ("auth_*", "auth_user"), ("*_id_?eq", "x_id_seq"), ("a*b*c", "aXbYc"), ("é?", "éa")]
        {
            assert!(like(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("auth_*", "xauth_user"), ("?", ""), ("a", "ab"), ("a*b", "abc")] {
            assert!(!like(pattern, name), "{pattern} {name}");
        }
    }
}
