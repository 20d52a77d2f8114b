//! What of the cloud a text names: ids of APIs, buckets, the account.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;

/// What a text names, each with the line where it stands first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mentions {
    pub(crate) api_ids: BTreeMap<String, usize>,
    /// Buckets with the number of the account, and the region if it stands beside.
    pub(crate) buckets: BTreeMap<String, (usize, Option<String>)>,
    pub(crate) app_ids: BTreeMap<String, usize>,
    /// Whether it names the object store or a library for it.
    pub(crate) uses_cos: bool,
}

static API_ID: LazyLock<Regex> = LazyLock::new(|| compile("api-[a-z0-9]{8}"));
static BUCKET_HOST: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"([a-z0-9][a-z0-9-]{0,49}-[0-9]{10})\.cos\.([a-z0-9-]+)\.(?:myqcloud\.com|tencentcos\.cn)",
    )
});
static BUCKET_LITERAL: LazyLock<Regex> =
    LazyLock::new(|| compile("[\"'`]([a-z0-9][a-z0-9-]{0,49}-[0-9]{10})[\"'`]"));
static BUCKET_ALONE: LazyLock<Regex> =
    LazyLock::new(|| compile("^([a-z0-9][a-z0-9-]{0,49}-[0-9]{10})$"));
static REGION: LazyLock<Regex> =
    LazyLock::new(|| compile("[\"'`]((?:ap|na|eu|sa)-[a-z]+(?:-[a-z0-9]+)?)[\"'`]"));
static APP_ID: LazyLock<Regex> =
    LazyLock::new(|| compile("(?i)\\bapp_?id[\"'`]?\\s*[:=]\\s*[\"'`]?([0-9]{10})\\b"));

/// Words that only code of the object store has.
const OF_COS: [&str; 4] = ["qcloud_cos", "cos-nodejs-sdk-v5", "cos-python-sdk-v5", ".myqcloud.com"];

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant, and a test uses it")
}

impl Mentions {
    /// What a file of code names.
    pub(crate) fn of_code(text: &str) -> Self {
        let mut mentions = Self::of_text(text);
        // A name and a region in one file belong together if there is one region only.
        let mut regions: Vec<_> =
            REGION.captures_iter(text).map(|found| found[1].to_owned()).collect();
        regions.sort();
        regions.dedup();
        if let [region] = &regions[..] {
            for (line, text) in (1..).zip(text.lines()) {
                for found in BUCKET_LITERAL.captures_iter(text) {
                    mentions.bucket(&found[1], line, Some(region));
                }
            }
        }
        mentions
    }

    /// What the value of a variable names.
    pub(crate) fn of_value(value: &str) -> Self {
        let mut mentions = Self::of_text(value);
        if let Some(found) = BUCKET_ALONE.captures(value.trim()) {
            mentions.bucket(&found[1], 1, None);
        }
        mentions
    }

    fn of_text(text: &str) -> Self {
        let mut mentions = Self::default();
        for (line, text) in (1..).zip(text.lines()) {
            for id in api_ids(text) {
                mentions.api_ids.entry(id.to_owned()).or_insert(line);
            }
            for found in BUCKET_HOST.captures_iter(text) {
                mentions.bucket(&found[1], line, Some(&found[2]));
            }
            for found in APP_ID.captures_iter(text) {
                mentions.app_ids.entry(found[1].to_owned()).or_insert(line);
            }
        }
        mentions.uses_cos = OF_COS.iter().any(|word| text.contains(word));
        mentions
    }

    fn bucket(&mut self, name: &str, line: usize, region: Option<&str>) {
        let region = region.map(str::to_owned);
        let known = self.buckets.entry(name.to_owned()).or_insert((line, None));
        known.1 = known.1.take().or(region);
        if let Some((_, app_id)) = name.rsplit_once('-') {
            self.app_ids.entry(app_id.to_owned()).or_insert(line);
        }
    }
}

/// The ids of APIs in a line. A word such as `api-endpoint` is none, unless it stands in an address
/// of the gateway: ids nearly always have a digit.
fn api_ids(line: &str) -> impl Iterator<Item = &str> {
    let is_address = line.contains("apigateway");
    API_ID.find_iter(line).filter_map(move |found| {
        let before = line[..found.start()].chars().next_back();
        let after = line[found.end()..].chars().next();
        let is_word = |letter: char| letter.is_alphanumeric() || "-_".contains(letter);
        let is_whole = !before.is_some_and(is_word) && !after.is_some_and(is_word);
        let is_id = is_address || found.as_str()[4..].contains(|c: char| c.is_ascii_digit());
        (is_whole && is_id).then_some(found.as_str())
    })
}

/// Whether it is an id as the cloud makes them.
pub(crate) fn is_api_id(text: &str) -> bool {
    API_ID.find(text).is_some_and(|found| found.len() == text.len())
}

#[cfg(test)]
mod tests {
    use super::Mentions;

    #[test]
    fn ids_of_apis_are_found_in_addresses_and_alone() {
        let ids = |text: &str| Mentions::of_code(text).api_ids.into_keys().collect::<Vec<_>>();
        let address = "http://set-abc.cb-common.apigateway.tencentyun.com/api-etjabcde";
        assert_eq!(ids(address), ["api-etjabcde"]);
        assert_eq!(
            ids("id = 'api-etj7lhtw'\nurl = host + \"/api-0a1b2c3d\""),
            ["api-0a1b2c3d", "api-etj7lhtw"]
        );
        assert_eq!(ids("'/api-endpoint' 'my-api-etj7lhtw' 'api-etj7lhtw9' api-etj7lht").len(), 0);
    }

    #[test]
    fn buckets_are_found_where_they_are_clear() {
        let buckets = |mentions: Mentions| {
            let text = |(name, (line, region)): (String, (usize, Option<String>))| {
                format!("{name} {line} {}", region.unwrap_or_default())
            };
            mentions.buckets.into_iter().map(text).collect::<Vec<_>>()
        };
        let host = "\nhttps://chat-1250000001.cos.ap-beijing.myqcloud.com/x";
        assert_eq!(buckets(Mentions::of_code(host)), ["chat-1250000001 2 ap-beijing"]);
        let pair = "region = 'ap-guangzhou'\nbucket = 'my-chat-1250000001'";
        assert_eq!(buckets(Mentions::of_code(pair)), ["my-chat-1250000001 2 ap-guangzhou"]);
        assert_eq!(buckets(Mentions::of_code("x = 'run-1583912321'")).len(), 0);
        assert_eq!(buckets(Mentions::of_value("chat-1250000001")), ["chat-1250000001 1 "]);
        assert_eq!(buckets(Mentions::of_value("see chat-1250000001")).len(), 0);
    }

    #[test]
    fn the_account_is_found_beside_its_name_and_in_buckets() {
        let app_ids = |text: &str| Mentions::of_code(text).app_ids.into_keys().collect::<Vec<_>>();
        assert_eq!(app_ids("appid = 1250000001  # mine"), ["1250000001"]);
        assert_eq!(app_ids("{\"AppId\": \"1250000001\"}"), ["1250000001"]);
        assert_eq!(app_ids("a-1250000002.cos.ap-beijing.tencentcos.cn"), ["1250000002"]);
        assert_eq!(app_ids("time = 1250000001").len(), 0);
        assert!(Mentions::of_code("from qcloud_cos_v5 import CosConfig").uses_cos);
    }
}
