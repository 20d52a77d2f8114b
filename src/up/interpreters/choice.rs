//! Chooses the interpreter for one release of a language.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use super::{Interpreter, Language, ask::ask, candidates::Candidates, is_same};

/// The interpreter of functions.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) interpreter: Option<Interpreter>,
    /// One that is too old, if there is none that runs functions.
    pub(super) too_old: Option<Interpreter>,
}

/// Looks for interpreters of one language. Each file is asked once.
#[derive(Debug)]
pub(super) struct Finder<'a> {
    language: Language,
    candidates: Candidates<'a>,
    in_path: Vec<PathBuf>,
    asked: HashMap<PathBuf, Option<Interpreter>>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(language: Language, candidates: Candidates<'a>) -> Self {
        let in_path = candidates.in_path(language.program());
        Self { language, candidates, in_path, asked: HashMap::new() }
    }

    pub(super) async fn choose(&mut self, release: Option<u32>) -> Choice {
        let in_path = self.in_path.clone();
        let mut first = None;
        for file in &in_path {
            first = self.ask(file).await;
            if first.is_some() {
                break;
            }
        }
        let first_runs = first.as_ref().is_some_and(|it| self.is_usable(it));
        let is_right = |it: &Interpreter| release.is_none_or(|release| it.release == release);
        if first_runs && first.as_ref().is_some_and(is_right) {
            return Choice { interpreter: first, too_old: None };
        }
        let exact = release.filter(|release| *release >= self.language.least());
        if let Some(exact) = exact
            && let Some(interpreter) = self.exact(exact).await
        {
            return Choice { interpreter: Some(interpreter), too_old: None };
        }
        if first_runs {
            return Choice { interpreter: first, too_old: None };
        }
        Choice { interpreter: self.nearest(release.unwrap_or(u32::MAX)).await, too_old: first }
    }

    /// Whether the function-runner would take this one without being told.
    pub(super) fn is_first_in_path(&self, executable: &Path) -> bool {
        self.in_path.first().is_some_and(|first| is_same(first, executable))
    }

    async fn exact(&mut self, release: u32) -> Option<Interpreter> {
        let mut files = self.in_path.clone();
        if self.language == Language::Python {
            files.extend(self.candidates.in_path(&format!("python3.{release}")));
        }
        let kept = self.candidates.kept(self.language).into_iter();
        files.extend(kept.filter(|(found, _)| *found == release).map(|(_, file)| file));
        for file in files {
            let found = self.ask(&file).await;
            if found.as_ref().is_some_and(|it| it.release == release) {
                return found;
            }
        }
        None
    }

    /// What there is outside of PATH, or behind the first one in PATH: the next newer release, or
    /// else the newest.
    async fn nearest(&mut self, release: u32) -> Option<Interpreter> {
        let mut kept = self.candidates.kept(self.language);
        kept.sort_by_key(|(found, _)| (*found < release, found.abs_diff(release)));
        let files = self.in_path.clone().into_iter().chain(kept.into_iter().map(|(_, file)| file));
        for file in files {
            let found = self.ask(&file).await;
            if found.as_ref().is_some_and(|it| self.is_usable(it)) {
                return found;
            }
        }
        None
    }

    fn is_usable(&self, interpreter: &Interpreter) -> bool {
        interpreter.release >= self.language.least()
    }

    async fn ask(&mut self, file: &Path) -> Option<Interpreter> {
        if let Some(known) = self.asked.get(file) {
            return known.clone();
        }
        let answer = ask(self.language, file, self.candidates.environment).await;
        self.asked.insert(file.to_owned(), answer.clone());
        answer
    }
}
