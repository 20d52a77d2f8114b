//! The word that was probably meant.

/// At least so similar, from 0 to 1. That is the threshold of the command line too.
const SIMILAR: f64 = 0.7;
/// So many known words are named when none is near.
const NAMED_MAX: usize = 20;

/// The end of a message about `word`, which is none of the `known` ones: the nearest of them. If
/// none is near, all of them.
pub fn nearest(word: &str, known: &[&str]) -> String {
    if let Some(best) = nearest_of(word, known) {
        return format!("; did you mean {best:?}?");
    }
    if known.is_empty() {
        return "; there are none".to_owned();
    }
    let named: Vec<_> = known.iter().take(NAMED_MAX).copied().collect();
    let more = if known.len() > NAMED_MAX { ", …" } else { "" };
    format!("; there are: {}{more}", named.join(", "))
}

/// The nearest of the `known` words, if one is near.
pub(super) fn nearest_of<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let similar = known.iter().map(|known| (strsim::jaro(word, known), *known));
    let near = similar.filter(|(similar, _)| *similar > SIMILAR);
    near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, best)| best)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_word_is_named_or_all() {
        let known = ["chat-register", "chat-transmit", "chat-cleanup"];
        assert_eq!(nearest("chat-transmitt", &known), "; did you mean \"chat-transmit\"?");
        assert_eq!(nearest("Chat-Cleanup", &known), "; did you mean \"chat-cleanup\"?");
        let all = "; there are: chat-register, chat-transmit, chat-cleanup";
        assert_eq!(nearest("x", &known), all);
        assert_eq!(nearest("x", &[]), "; there are none");
        let many: Vec<_> = (0..21).map(|number| format!("{number}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert!(nearest("x", &many).ends_with("18, 19, …"));
    }
}
