//! What the functions in Python import, and what of it has to be installed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use project::{Function, Note, Project, Severity};

use super::{
    REQUIREMENTS,
    image::distribution_of,
    imports::{Module, Request, imports_of},
    requirements::Requirements,
    words,
};
use crate::up::{
    interpreters::{Interpreter, Interpreters, Language, names},
    libraries::{
        Libraries, Needs,
        folders::Folders,
        need::{Input, Need},
    },
};

/// What the functions in Python import.
#[derive(Debug)]
pub(in crate::up::libraries) struct Imported<'a>(Vec<OfFunction<'a>>);

#[derive(Debug)]
struct OfFunction<'a> {
    function: &'a Function,
    folders: Folders,
    interpreter: Arc<Interpreter>,
    /// Modules that are neither the author's own nor Python's. None if that could not be found out.
    modules: Option<Vec<Module>>,
}

impl<'a> Imported<'a> {
    /// Reads the code of all functions in Python.
    pub(in crate::up::libraries) async fn of(
        project: &'a Project,
        interpreters: &Interpreters,
        variables: &BTreeMap<String, String>,
        notes: &mut Vec<Note>,
    ) -> Self {
        let mut all: Vec<_> = project
            .functions
            .iter()
            .filter_map(|function| {
                let interpreter = interpreters.used(&function.name)?.clone();
                let is_python = interpreter.language == Language::Python;
                let folders = Folders::of(function).filter(|_| is_python)?;
                Some(OfFunction { function, folders, interpreter, modules: None })
            })
            .collect();
        let whole = all.iter_mut().map(|of| (of, None)).collect();
        if let Err(what) = read(whole, variables).await {
            let functions: Vec<_> = all.iter().map(|of| of.function).collect();
            let text = format!("the imports of {} could not be read: {what}", names(&functions));
            notes.push(Note { severity: Severity::Warning, place: None, text });
        }
        Self(all)
    }

    /// Functions with the same interpreter and the same requirements share one folder, as all share
    /// one image in the cloud.
    pub(in crate::up::libraries) fn add_needs(&self, needs: &mut Needs<'a>, notes: &mut Vec<Note>) {
        let mut shared: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for of in self.0.iter().filter(|of| of.modules.as_ref().is_none_or(|it| !it.is_empty())) {
            match of.requirements() {
                Ok(requirements) => {
                    notes.extend(of.left_out(&requirements));
                    let key = (&of.interpreter, requirements.text.clone());
                    shared.entry(key).or_default().push((of, requirements));
                }
                Err(note) => notes.push(note),
            }
        }
        for ((interpreter, mut text), functions) in shared {
            let mut names = functions[0].1.names.clone();
            let of_image: BTreeSet<_> = functions
                .iter()
                .flat_map(|(of, requirements)| of.of_image().filter(|it| !requirements.has(it)))
                .collect();
            for distribution in of_image {
                text += &format!("{distribution}\n");
                names.push(distribution.to_owned());
            }
            let input = Input { name: REQUIREMENTS, content: text.into_bytes() };
            let need = Need::new(interpreter.clone(), vec![input], names);
            let functions = functions.iter().filter(|_| !need.names.is_empty());
            for (of, requirements) in functions {
                // A function whose modules are all there, or nowhere, needs nothing of the image.
                if !requirements.names.is_empty() || of.of_image().next().is_some() {
                    let is_required = of.missing().any(|module| !module.is_optional);
                    needs.add(need.clone(), of.function, is_required);
                }
            }
        }
        // A file of several functions is read several times.
        notes.sort_by_key(|note| (note.place.clone(), note.text.clone()));
        notes.dedup();
    }

    /// Says which modules are nowhere, now that libraries are installed.
    pub(in crate::up::libraries) async fn note_missing(
        mut self,
        needs: &Needs<'a>,
        variables: &BTreeMap<String, String>,
        libraries: &mut Libraries,
    ) {
        // Where nothing could be installed, a note says so already.
        self.0.retain(|of| {
            let is_failed =
                needs.of(of.function).is_some() && !libraries.of.contains_key(&of.function.name);
            !is_failed && of.unknown().next().is_some()
        });
        let folders = self.0.iter_mut().map(|of| {
            let folder = libraries.of.get(&of.function.name).cloned();
            (of, folder)
        });
        if read(folders.collect(), variables).await.is_err() {
            return;
        }
        let mut notes = BTreeMap::new();
        for of in &self.0 {
            for module in of.unknown() {
                let place = of.folders.place(&module.file, module.line);
                notes.insert(
                    (place.clone(), module.name.clone()),
                    Note {
                        severity: Severity::Warning,
                        place: Some(place),
                        text: words::unknown(&module.name, &of.interpreter),
                    },
                );
            }
        }
        libraries.notes.extend(notes.into_values());
    }
}

impl OfFunction<'_> {
    fn missing(&self) -> impl Iterator<Item = &Module> {
        self.modules.iter().flatten().filter(|module| !module.is_there)
    }

    /// Modules that are missing, and that the code needs and nothing is known of.
    fn unknown(&self) -> impl Iterator<Item = &Module> {
        self.missing().filter(|it| !it.is_optional && distribution_of(&it.name).is_none())
    }

    /// The packages of the cloud's image that have the missing modules.
    fn of_image(&self) -> impl Iterator<Item = &'static str> {
        self.missing().filter_map(|module| distribution_of(&module.name))
    }

    fn left_out(&self, requirements: &Requirements) -> Vec<Note> {
        let note = |(line, what): &(usize, String)| Note {
            severity: Severity::Warning,
            place: Some(self.folders.place(&requirements.file, *line)),
            text: words::left_out(what),
        };
        requirements.left_out.iter().map(note).collect()
    }

    fn requirements(&self) -> Result<Requirements, Note> {
        let Some(file) = self.folders.nearest(REQUIREMENTS) else {
            return Ok(Requirements::default());
        };
        Requirements::read(&file).map_err(|error| Note {
            severity: Severity::Error,
            place: Some(self.folders.place(&file, 1)),
            text: format!("cannot be read: {error}"),
        })
    }
}

/// Reads the imports of functions, with one process for each interpreter. The folder is one of
/// libraries.
async fn read(
    functions: Vec<(&mut OfFunction<'_>, Option<PathBuf>)>,
    variables: &BTreeMap<String, String>,
) -> Result<(), String> {
    let mut by_interpreter: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (of, folder) in functions {
        by_interpreter.entry(of.interpreter.clone()).or_default().push((of, folder));
    }
    for (interpreter, mut functions) in by_interpreter {
        let requests: Vec<_> = functions
            .iter()
            .map(|(of, folder)| Request {
                code: of.folders.code.clone(),
                module: module_of(&of.function.handler).to_owned(),
                libraries: folder.iter().cloned().collect(),
            })
            .collect();
        let found = imports_of(&interpreter, &requests, variables).await?;
        for ((of, _), modules) in functions.iter_mut().zip(found) {
            of.modules = Some(modules);
        }
    }
    Ok(())
}

/// The module of a handler.
fn module_of(handler: &str) -> &str {
    handler.rsplit_once('.').map_or(handler, |(module, _)| module)
}
