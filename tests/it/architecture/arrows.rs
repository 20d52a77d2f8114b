//! Reads the paths in a file of Rust, and says which folders of its crate they lead to.

use std::{fs, path::Path};

use syn::{
    Attribute, File, ItemMod, ItemUse, Macro, UseTree,
    visit::{self, Visit},
};

/// One folder uses another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow {
    pub(super) from: String,
    pub(super) to: String,
    /// The file that does, and the path that it names.
    pub(super) what: String,
}

/// The arrows that leave the folder of `file`. `folder` names the folder of a module.
pub(super) fn arrows_of(
    file: &Path,
    relative: &Path,
    folder: &dyn Fn(&[String]) -> String,
) -> Vec<Arrow> {
    let text = fs::read_to_string(file).unwrap();
    let parsed: File = syn::parse_file(&text).unwrap();
    let module: Vec<String> =
        relative.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    let from = folder(&module);
    let mut paths = Paths { module, found: Vec::new() };
    paths.visit_file(&parsed);
    let arrows = paths.found.iter().map(|path| Arrow {
        from: from.clone(),
        to: folder(path),
        what: format!("{}: {}", relative.display(), path.join("::")),
    });
    arrows.filter(|arrow| arrow.from != arrow.to).collect()
}

/// Collects paths within the crate, from its root.
struct Paths {
    /// The module that is being read.
    module: Vec<String>,
    found: Vec<Vec<String>>,
}

impl Paths {
    /// Notes a path, unless it begins with a name that only the module itself knows.
    fn note(&mut self, path: &[String]) {
        let Some((first, rest)) = path.split_first() else { return };
        let mut base = match &**first {
            "crate" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module[..self.module.len() - 1].to_vec(),
            _ => return,
        };
        for name in rest {
            match &**name {
                "super" => drop(base.pop()),
                "self" => {}
                name => base.push(name.to_owned()),
            }
        }
        self.found.push(base);
    }

    fn note_tree(&mut self, tree: &UseTree, path: &mut Vec<String>) {
        match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                self.note_tree(&inner.tree, path);
                path.pop();
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.note_tree(tree, path));
            }
            UseTree::Name(name) => {
                self.note(&[path.as_slice(), &[name.ident.to_string()]].concat());
            }
            UseTree::Rename(name) => {
                self.note(&[path.as_slice(), &[name.ident.to_string()]].concat());
            }
            UseTree::Glob(_) => self.note(path),
        }
    }
}

impl Visit<'_> for Paths {
    fn visit_item_use(&mut self, item: &ItemUse) {
        if !is_test(&item.attrs) {
            self.note_tree(&item.tree, &mut Vec::new());
        }
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.note(&names);
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &ItemMod) {
        if is_test(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    /// What stands in a macro is no syntax tree, but its tokens.
    fn visit_macro(&mut self, item: &Macro) {
        let tokens = item.tokens.to_string();
        for path in tokens.split("crate :: ").skip(1) {
            let name: String =
                path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            self.note(&["crate".to_owned(), name]);
        }
        visit::visit_macro(self, item);
    }

    /// `pub(in crate::x)` names a module and uses nothing of it.
    fn visit_visibility(&mut self, _: &syn::Visibility) {}
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}
