//! The files of a package, and which of them names what another one defines: read by `syn`, without the compiler.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, ImplItem, Item, ItemUse, Meta, UseTree, visit::Visit};

/// The root's file, then the names of the modules on the way.
type ModulePath = Vec<String>;

/// A file, the file that it takes names from, and the names.
pub(crate) type Uses = BTreeMap<(String, String), BTreeSet<String>>;

/// All modules of a package.
pub(crate) struct Package {
    modules: BTreeMap<ModulePath, Module>,
}

struct Module {
    /// Relative to the package.
    file: String,
    items: Vec<Item>,
    /// A name can stand for a module and for a function.
    scope: BTreeMap<String, Vec<Name>>,
    /// The modules and types whose names are all in scope.
    globs: Vec<Vec<String>>,
}

enum Name {
    Defined,
    Module,
    /// The path of a `use`.
    Used(Vec<String>),
}

#[derive(Clone, PartialEq)]
enum Target {
    Module(ModulePath),
    Item(ModulePath, String),
}

impl Package {
    /// Reads a package; tests are left out.
    pub(crate) fn read(package: &Path) -> Self {
        let mut modules = BTreeMap::new();
        for root in roots(package) {
            let items = parse(&package.join(&root));
            add(&mut modules, package, vec![root.clone()], (&root, items), Path::new(&root).parent().unwrap());
        }
        Self { modules }
    }

    /// Which file names what another one defines. Ancestors and descendants are left out: they make one module.
    pub(crate) fn uses(&self) -> Uses {
        let mut uses = Uses::new();
        for (path, module) in &self.modules {
            let mut visitor = Paths::default();
            module.items.iter().for_each(|item| visitor.visit_item(item));
            for named in visitor.paths {
                for target in self.resolve(path, &named, 0) {
                    let Target::Item(other, name) = target else { continue };
                    let file = &self.modules[&other].file;
                    if *file != module.file && !other.starts_with(path) && !path.starts_with(&other) {
                        uses.entry((module.file.clone(), file.clone())).or_default().insert(name);
                    }
                }
            }
        }
        uses
    }

    /// What a path names; nothing where that is another package's.
    fn resolve(&self, from: &ModulePath, path: &[String], depth: u8) -> Vec<Target> {
        let mut targets = vec![Target::Module(from.clone())];
        for (at, segment) in path.iter().enumerate() {
            let next = |target: Target| match target {
                Target::Item(..) => vec![target],
                Target::Module(module) => match (segment.as_str(), at) {
                    ("crate", 0) => vec![Target::Module(module[..1].to_vec())],
                    ("self", 0) => vec![Target::Module(module)],
                    ("super", _) => vec![Target::Module(module[..module.len().max(2) - 1].to_vec())],
                    _ => self.look_up(&module, segment, depth),
                },
            };
            targets = targets.into_iter().flat_map(next).collect();
            // Of a module and a function with one name only the module can hold what follows.
            if at + 1 < path.len() && targets.iter().any(|target| matches!(target, Target::Module(_))) {
                targets.retain(|target| matches!(target, Target::Module(_)));
            }
        }
        targets
    }

    /// What a name stands for in a module.
    fn look_up(&self, path: &ModulePath, name: &str, depth: u8) -> Vec<Target> {
        // Names may be handed on in a circle.
        let Some(module) = self.modules.get(path).filter(|_| depth < 16) else { return Vec::new() };
        let here = module.scope.get(name).into_iter().flatten().flat_map(|found| match found {
            Name::Defined => vec![Target::Item(path.clone(), name.to_owned())],
            Name::Module => vec![Target::Module([path.as_slice(), &[name.to_owned()]].concat())],
            // `use syn;` says nothing of ours.
            Name::Used(used) if used.len() == 1 && used[0] == name => Vec::new(),
            Name::Used(used) => self.resolve(path, used, depth + 1),
        });
        let mut found: Vec<_> = here.collect();
        for glob in module.globs.iter().filter(|glob| glob.len() > 1 || glob[0] != name) {
            let around = self.resolve(path, glob, depth + 1).into_iter().flat_map(|target| match target {
                Target::Module(module) if module != *path => self.look_up(&module, name, depth + 1),
                _ => Vec::new(),
            });
            found.extend(around);
        }
        found.dedup();
        found
    }
}

/// The files that a compilation begins with.
fn roots(package: &Path) -> Vec<String> {
    let mut roots = vec!["src/lib.rs".to_owned(), "src/main.rs".to_owned()];
    for entry in fs::read_dir(package.join("src/bin")).into_iter().flatten() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let main = if name.ends_with(".rs") { String::new() } else { "/main.rs".to_owned() };
        roots.push(format!("src/bin/{name}{main}"));
    }
    roots.retain(|root| package.join(root).is_file());
    roots
}

fn parse(file: &Path) -> Vec<Item> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display())).items
}

/// Adds a module and those below it; `directory` is where their files are.
fn add(
    modules: &mut BTreeMap<ModulePath, Module>,
    package: &Path,
    path: ModulePath,
    (file, items): (&str, Vec<Item>),
    directory: &Path,
) {
    let mut module = Module { file: file.to_owned(), items: Vec::new(), scope: BTreeMap::new(), globs: Vec::new() };
    for item in items.into_iter().filter(|item| !is_test(attributes(item))) {
        let mut define = |name: String, found: Name| module.scope.entry(name).or_default().push(found);
        match item {
            Item::Mod(below) => {
                let name = below.ident.to_string();
                define(name.clone(), Name::Module);
                let path = [path.as_slice(), std::slice::from_ref(&name)].concat();
                match below.content {
                    Some((_, items)) => add(modules, package, path, (file, items), &directory.join(&name)),
                    None => {
                        let places = [directory.join(format!("{name}.rs")), directory.join(&name).join("mod.rs")];
                        let found = places.iter().find(|place| package.join(place).is_file());
                        let found: &PathBuf = found.unwrap_or_else(|| panic!("{file}: no file of module {name}"));
                        let items = parse(&package.join(found));
                        add(modules, package, path, (found.to_str().unwrap(), items), &directory.join(&name));
                    }
                }
                continue;
            }
            Item::Use(ref used) => leaves(&used.tree, &mut Vec::new(), &mut |path, name| match name {
                Some(name) => define(name, Name::Used(path)),
                None => module.globs.push(path),
            }),
            ref item => defined(item).into_iter().for_each(|name| define(name, Name::Defined)),
        }
        module.items.push(item);
    }
    modules.insert(path, module);
}

/// Every path of a `use` with the name that it gives; no name: all of its names.
fn leaves(tree: &UseTree, before: &mut Vec<String>, found: &mut impl FnMut(Vec<String>, Option<String>)) {
    let with = |before: &[String], name: String| [before, &[name]].concat();
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            leaves(&path.tree, before, found);
            before.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, found)),
        UseTree::Name(name) if name.ident == "self" => found(before.clone(), before.last().cloned()),
        UseTree::Name(name) => found(with(before, name.ident.to_string()), Some(name.ident.to_string())),
        UseTree::Rename(name) if name.ident == "self" => found(before.clone(), Some(name.rename.to_string())),
        UseTree::Rename(name) => found(with(before, name.ident.to_string()), Some(name.rename.to_string())),
        UseTree::Glob(_) => found(before.clone(), None),
    }
}

fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        meta => meta.path().is_ident("test"),
    })
}

/// Every path that stands in some items.
#[derive(Default)]
struct Paths {
    paths: BTreeSet<Vec<String>>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => item.attrs.as_slice(),
            ImplItem::Fn(item) => &item.attrs,
            _ => &[],
        };
        if !is_test(attributes) {
            syn::visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, used: &'ast ItemUse) {
        leaves(&used.tree, &mut Vec::new(), &mut |path, _| _ = self.paths.insert(path));
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.tokens(called.tokens.clone());
        syn::visit::visit_macro(self, called);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }
}

impl Paths {
    /// Paths of two names or more among what a macro is given.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut colons) = (Vec::new(), 0);
        for token in tokens {
            match &token {
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(name) if colons == 2 => path.push(name.to_string()),
                _ => {
                    self.keep(&mut path);
                    match token {
                        TokenTree::Ident(name) => path.push(name.to_string()),
                        TokenTree::Group(group) => self.tokens(group.stream()),
                        _ => {}
                    }
                }
            }
            colons = 0;
        }
        self.keep(&mut path);
    }

    fn keep(&mut self, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.paths.insert(path);
        }
    }
}
