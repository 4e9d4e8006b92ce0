//! What a template or a deployment has left unfilled. PostgreSQL takes nearly every text for a name.

/// The reason to refuse a value that stands for another one.
pub(super) fn refuse(value: &str) -> Result<(), String> {
    match is_placeholder(value) {
        true => Err(format!("`{value}` is a placeholder that was not filled in\n  help: write the value itself")),
        false => Ok(()),
    }
}

/// The same of a password, which is not shown. One may hold any text: it is a placeholder as a whole only.
pub(super) fn refuse_password(value: &str) -> Result<(), String> {
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || "_. -".contains(letter));
    let is_whole = TEMPLATES.iter().any(|(before, after)| within(value, before, after).is_some_and(is_name));
    match is_whole {
        true => {
            Err("the password is a placeholder that was not filled in\n  help: write the password itself".to_owned())
        }
        false => Ok(()),
    }
}

/// How templates of shells, of CI systems and of programming languages begin and end.
const TEMPLATES: [(&str, &str); 4] = [("${", "}"), ("{{", "}}"), ("$(", ")"), ("<%", "%>")];

/// What stands around a whole value.
const AROUND: [(&str, &str); 4] = [("%", "%"), ("<", ">"), ("[", "]"), ("{", "}")];

/// What programs print for a value that is not there, and what documentation writes for one.
const WORDS: [&str; 20] = [
    "undefined",
    "null",
    "None",
    "nil",
    "NaN",
    "USER",
    "USERNAME",
    "PASSWORD",
    "HOST",
    "HOSTNAME",
    "DATABASE",
    "DBNAME",
    "DB_NAME",
    "DB_USER",
    "DB_HOST",
    "your_user",
    "your_username",
    "your_database",
    "your-database",
    "your-user",
];

fn is_placeholder(value: &str) -> bool {
    let holds = |(before, after): &(&str, &str)| value.split_once(before).is_some_and(|(_, rest)| rest.contains(after));
    let is_within =
        |(before, after): &(&str, &str)| within(value, before, after).is_some_and(|inside| !inside.is_empty());
    // A shell's variable.
    let is_variable = || {
        let name = value.strip_prefix('$').filter(|name| name.starts_with(|letter: char| letter.is_ascii_uppercase()));
        name.is_some_and(|name| {
            name.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
        })
    };
    WORDS.contains(&value)
        || value.starts_with("YOUR_")
        || value.starts_with("YOUR-")
        || TEMPLATES.iter().any(holds)
        || AROUND.iter().any(is_within)
        || is_variable()
}

fn within<'a>(value: &'a str, before: &str, after: &str) -> Option<&'a str> {
    value.strip_prefix(before)?.strip_suffix(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_give_are_none() {
        for name in [
            "user", "users", "nullable", "none", "a%b", "a$b", "$libdir", "$user", "a<b>", "[", "<>", "%", "{}",
            "hôte", "your",
        ] {
            assert_eq!(refuse(name), Ok(()), "{name}");
        }
        for password in ["null", "%a%", "<x>", "${", "a${B}c", "${a!b}", "PASSWORD"] {
            assert_eq!(refuse_password(password), Ok(()), "{password}");
        }
        let refused = refuse_password("${DB_PASSWORD}");
        assert!(refused.is_err_and(|reason| !reason.contains("DB_PASSWORD")));
    }
}
