//! The known word that somebody may have meant.

use strsim::damerau_levenshtein;

/// Longer words are no typing errors, and take long to compare.
const CHARACTERS_MAX: usize = 64;

/// The most similar of `known`, if it is similar at all.
pub(crate) fn nearest<T: AsRef<str>>(word: &str, known: impl IntoIterator<Item = T>) -> Option<T> {
    if word.chars().count() > CHARACTERS_MAX {
        return None;
    }
    let lower = word.to_lowercase();
    let distance = |known: &T| damerau_levenshtein(&lower, &known.as_ref().to_lowercase());
    let best = known.into_iter().min_by_key(distance)?;
    (distance(&best) <= 1 + word.chars().count() / 3).then_some(best)
}

/// `; perhaps x is meant`, or nothing.
pub(crate) fn perhaps<T: AsRef<str>>(word: &str, known: impl IntoIterator<Item = T>) -> String {
    let near = nearest(word, known);
    near.map(|near| format!("; perhaps {} is meant", near.as_ref())).unwrap_or_default()
}
