//! What others wrote, through every printer: each character of Unicode, and what may mean something only together.

use pg_config::{Address, ConnInfo, Host, Identifier, IdleSession, Literal, is_hidden};
use pg_schema::{Access, Action, Check, Fix, Kind, Object};
use pg_server::{Rung, Server};
use roxmltree::Document;
use serde_json::Value;

use super::*;
use crate::{escape, terminal::Terminal};

/// What a text may hold to be taken for something else: by a terminal, a runner, a reader of Markdown, XML or JSON, or
/// a person.
const PIECES: [&str; 44] = [
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\0",
    "\u{1b}[2J",
    "\u{1b}]0;x\u{7}",
    "\u{9b}31m",
    "\u{85}",
    "\u{b}",
    "\u{c}",
    "\u{7f}",
    "\u{2028}",
    "\u{2029}",
    "\u{202a}",
    "\u{202e}",
    "\u{2066}",
    "\u{2069}",
    "\u{200e}",
    "\u{200f}",
    "\u{61c}",
    "\u{200b}",
    "\u{feff}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{e0041}",
    "::",
    "::error title=x::y",
    "::stop-commands::z",
    "##[error]",
    "#",
    "%0A",
    "`",
    "```\n",
    "|",
    "<script>",
    "</failure>",
    "]]>",
    "&lt;",
    "\"",
    "\\",
    "[a](https://b.c)",
    "  help: x",
    " ",
];

/// Every character of the planes that hold what is hidden, many in a text; then every two pieces.
fn texts() -> impl Iterator<Item = String> {
    let planes = ('\0'..='\u{1ffff}').chain('\u{e0000}'..='\u{e0fff}');
    let each: Vec<char> = planes.collect();
    let each: Vec<String> = each.chunks(997).map(|letters| letters.iter().collect()).collect();
    let pairs = PIECES.iter().flat_map(|one| PIECES.iter().map(move |other| format!("{one}{other}x")));
    each.into_iter().chain(pairs)
}

/// A report, and what it is about, in which every text of others is this one.
struct World {
    report: Report,
    target: Target,
}

impl World {
    fn of(text: &str) -> Self {
        // No name is empty, and none holds a zero byte.
        let name = Identifier::from_catalog(text.replace('\0', "0"));
        let object = |arguments| Object {
            kind: Kind::Routine,
            schema: Some(name.clone()),
            name: name.clone(),
            arguments,
            table: Some(name.clone()),
            owner: Some(name.clone()),
        };
        let objects = vec![object(None), object(Some(format!("{name}.{name}")))];
        let fix = vec![Fix {
            statement: format!("DROP TABLE {name}"),
            action: Action::Other,
            is_safe: false,
            is_for_app: true,
        }];
        let check = |id, status| Check {
            id,
            status,
            message: text.to_owned(),
            objects: objects.clone(),
            definitions: Vec::new(),
            fix: fix.clone(),
        };
        let statuses = [Status::Fail, Status::Warn, Status::Skip, Status::Pass];
        let checks =
            ["strays", "schema", "role", "server"].into_iter().zip(statuses).map(|(id, status)| check(id, status));
        let host = Host::Tcp(text.to_owned());
        let app = ConnInfo::of(&Address { host: host.clone(), port: 5432 }, text, text);
        let server = Server {
            rung: Rung::Env,
            host,
            port: 5432,
            superuser: None,
            session: IdleSession::default(),
            started_now: false,
            reason: text.to_owned(),
            skipped: Vec::new(),
            local: None,
            container: None,
        };
        let access = Access {
            app,
            administrator: None,
            may_accept_drift: false,
            may_set_password: false,
            password_is_generated: false,
            password_source: None,
            may_be_pooled: false,
            wait: Duration::ZERO,
        };
        let (role, database, schema) = (name.clone(), name.clone(), name);
        let expected = Expected {
            role,
            database,
            schema,
            extensions: Vec::new(),
            write_roles: Vec::new(),
            read_roles: Vec::new(),
            other_schemas: Vec::new(),
            administrator: None,
            digest: None,
            drift_ignore: Vec::new(),
        };
        let target = Target { server, access, expected, reason: text.to_owned() };
        Self { report: Report { checks: checks.collect(), tables: 0 }, target }
    }

    fn printed(&self) -> Printed<'_> {
        let Self { report, target } = self;
        Printed { command: "db-verify", report, facts: None, target, elapsed: Duration::ZERO, steps: &[], next: None }
    }
}

fn failure(text: &str) -> Failure<'_> {
    Failure { command: "db-verify", outcome: Outcome::Error, text, elapsed: Duration::ZERO }
}

fn is_obeyed(letter: char) -> bool {
    is_hidden(letter) && !['\n', '\t'].contains(&letter)
}

/// Whether a screen shows all of a text, and a runner of GitHub obeys no line of it.
#[track_caller]
fn assert_shown(printed: &str, text: &str) {
    assert!(!printed.contains(is_obeyed) && !printed.contains("##["), "{text:?} is printed as {printed:?}");
}

#[track_caller]
fn assert_harmless(printed: &str, text: &str) {
    assert_shown(printed, text);
    for line in printed.lines() {
        assert!(!line.trim_start().starts_with("::"), "{text:?} is printed as {printed:?}");
    }
}

#[test]
fn no_text_steers_a_terminal_or_forges_a_line() {
    let usual = text::screen(Terminal::PLAIN, &World::of("x").printed()).lines().count();
    for text in texts() {
        let screen = text::screen(Terminal::PLAIN, &World::of(&text).printed());
        assert_harmless(&screen, &text);
        assert_eq!(screen.lines().count(), usual, "{text:?}: {screen}");
    }
}

/// On a terminal of any width, nothing that others wrote begins a line that a runner obeys, and no SQL is cut.
#[test]
fn no_width_cuts_sql_or_forges_a_line() {
    for text in texts() {
        for width in [60, 80, 120] {
            let screen = text::screen(Terminal::PLAIN.of_width(width), &World::of(&text).printed());
            assert_harmless(&screen, &text);
        }
    }
    let world = World::of(&"a long text with many words ".repeat(20));
    let screen = text::screen(Terminal::PLAIN.of_width(60), &world.printed());
    let fix = &world.report.checks[0].fix[0].statement;
    assert!(screen.lines().any(|line| line.ends_with(&format!(": {fix};"))), "{screen}");
    let is_long = |line: &&str| line.chars().count() > 60 && line.starts_with("  FAIL");
    assert_eq!(screen.lines().filter(is_long).count(), 0, "{screen}");
}

#[test]
fn no_scalar_value_goes_through_but_what_is_shown() {
    let all: Vec<char> = ('\0'..=char::MAX).collect();
    let functions = [
        escape::line,
        escape::lines,
        escape::workflow,
        escape::workflow_property,
        escape::markdown,
        |text: &str| escape::markdown_code("", text),
        escape::xml,
        escape::xml_attribute,
        |text: &str| escape::json(&text.into()),
        |text: &str| Identifier::from_catalog(text).to_string(),
        |text: &str| Literal(text).to_string(),
    ];
    for letters in all.chunks(4096) {
        let text: String = letters.iter().collect();
        for function in functions {
            assert!(!function(&text).contains(is_obeyed), "between {:?} and {:?}", letters[0], letters.last());
        }
    }
}

#[test]
fn no_line_is_forged() {
    let pieces = || PIECES.iter();
    let all = pieces().flat_map(|a| pieces().flat_map(move |b| pieces().map(move |c| format!("{a}{b}{c}"))));
    for text in all {
        let line = escape::line(&text);
        assert_harmless(&line, &text);
        assert!(!line.contains('\n'), "{text:?}");
        let lines = escape::lines(&text);
        assert_harmless(&lines, &text);
        let is_marked = |line: &str| line.is_empty() || line.starts_with("  ");
        assert!(lines.split('\n').skip(1).all(is_marked), "{text:?}: {lines}");
    }
}

/// As the runner does (`ActionCommand.cs`): a command is one line, and what it escapes is text.
#[test]
fn every_annotation_is_one_command() {
    for text in texts() {
        let world = World::of(&text);
        let mut annotations = github::annotations(&world.printed());
        assert_eq!(annotations.len(), 2);
        annotations.push(github::error(&failure(&text)));
        for annotation in annotations {
            assert_shown(&annotation, &text);
            assert!(!annotation.contains(['\n', '\r']), "{annotation:?}");
            let (properties, message) = annotation[2..].split_once("::").unwrap();
            assert!(
                properties.starts_with("error title=db-verify") || properties.starts_with("warning title=db-verify")
            );
            let message = message.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
            assert_shown(&message, &text);
        }
    }
}

#[test]
fn every_xml_is_well_formed_and_of_one_shape() {
    let shape = |document: &str, text: &str| {
        assert!(!document.contains(is_obeyed), "{text:?} is written as {document:?}");
        let document = Document::parse(document).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        document
            .descendants()
            .filter(|node| node.is_element())
            .map(|node| node.tag_name().name().to_owned())
            .collect::<Vec<_>>()
    };
    let usual = shape(&junit::document(&World::of("x").printed()), "x");
    for text in texts() {
        let document = junit::document(&World::of(&text).printed());
        assert_eq!(shape(&document, &text), usual, "{text:?}");
        assert_eq!(shape(&junit::error(&failure(&text)), &text), ["testsuites", "testsuite", "testcase", "error"]);
        let document = Document::parse(&document).unwrap();
        let failed = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
        // A reader shows what was written.
        if !text.contains(is_obeyed) {
            assert_eq!(failed.attribute("message"), Some(text.as_str()));
        }
    }
}

#[test]
fn every_json_holds_the_text_itself() {
    for text in texts() {
        let printed = json::document(&World::of(&text).printed());
        assert_harmless(&printed, &text);
        let document: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(document["checks"][0]["message"], text.as_str());
        assert_eq!(document["checks"][0]["objects"][0]["name"], text.replace('\0', "0").as_str());
    }
}

#[test]
fn every_markdown_has_the_usual_lines() {
    let usual = markdown::document(&World::of("x").printed());
    // Bars that part cells, fences and tags of our own.
    let shape = |line: &str| {
        let bars = line.replace("\\\\", "").replace("\\|", "").matches('|').count();
        (
            if line.starts_with('|') { bars } else { 0 },
            line.starts_with("```"),
            line.replace("<br>", "").matches('<').count(),
        )
    };
    for text in texts() {
        let document = markdown::document(&World::of(&text).printed());
        assert_shown(&document, &text);
        let is_code = |line: &str| line.starts_with("DROP TABLE ");
        for (line, usual) in document.lines().zip(usual.lines()) {
            if !is_code(usual) {
                assert_eq!(shape(line), shape(usual), "{text:?}: {line}");
            }
        }
        assert_eq!(document.lines().count(), usual.lines().count(), "{text:?}: {document}");
        let error = markdown::error(&failure(&text));
        assert_shown(&error, &text);
        let fence: String =
            error.lines().find(|line| line.starts_with("```")).unwrap().chars().take_while(|c| *c == '`').collect();
        let code = error.split_once(&fence).unwrap().1.rsplit_once(&fence).unwrap().0;
        assert!(!code.contains(&fence), "{text:?}: {error}");
    }
}
