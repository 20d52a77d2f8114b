//! `[proxies]`: which proxies are trusted, and what is read of them.

use std::net::IpAddr;

use http::{HeaderName, header};
use ipnet::IpNet;
use strum::VariantArray;

use crate::settings::{Kind, Section, flag, one_of};

const NETWORKS_MAX: usize = 1000;

/// Which proxies are trusted, and what is read of them. By default none, and nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// `trusted`: the networks of the proxies.
    pub trusted: Vec<IpNet>,
    /// `header`: the header in which they say who the client is.
    pub header: Option<ForwardHeader>,
    /// `protocol`: whether their connections begin with a header of the PROXY protocol.
    pub protocol: bool,
}

/// A header in which a proxy says who the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum ForwardHeader {
    /// `x-forwarded-for`: a list of addresses.
    XForwardedFor,
    /// `forwarded`: RFC 7239.
    Forwarded,
}

impl ForwardHeader {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }

    pub(super) fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            Self::Forwarded => header::FORWARDED,
        }
    }
}

impl ProxySettings {
    /// Reads the section.
    pub fn read(section: &mut Section) -> Self {
        let texts = section.read_or("trusted", &networks(), "[]");
        let words = ForwardHeader::VARIANTS.iter().map(|header| (header.word(), *header));
        let header = section.read("header", &one_of(words));
        let protocol = section.read_or("protocol", &flag(), "false");
        let mut trusted = Vec::new();
        for text in &texts {
            match network(text) {
                Ok(network) => trusted.push(network),
                Err(problem) => section.problem("trusted", problem),
            }
        }
        if texts.is_empty() {
            let what = "is set, and trusted has no network, so that nobody is believed; list the \
                        networks of your proxies in proxies.trusted";
            let keys = [("header", header.is_some()), ("protocol", protocol)];
            keys.into_iter().filter(|(_, is_set)| *is_set).for_each(|(key, _)| {
                section.problem(key, what);
            });
        } else if header.is_none() && !protocol && !section.is_description() {
            let what = "is set, and nothing is read of these proxies; set proxies.header or \
                        proxies.protocol to what they send";
            section.problem("trusted", what);
        }
        Self { trusted, header, protocol }
    }
}

/// A list of what should be networks. Which of them are not is said of each.
fn networks() -> Kind<Vec<String>> {
    let kind = Kind::new("a list of networks", |value| {
        let texts = value.as_array().filter(|list| list.len() <= NETWORKS_MAX)?.iter();
        texts.map(|text| text.as_str().map(str::to_owned)).collect()
    });
    kind.such_as("[\"10.0.0.0/8\", \"fd00::/8\"]")
}

/// Reads a network, or one address. The error says what is wrong, and what would be right.
fn network(text: &str) -> Result<IpNet, String> {
    let one = || text.parse::<IpAddr>().map(IpNet::from);
    let Ok(network) = text.parse::<IpNet>().or_else(|_| one()) else {
        return Err(format!(
            "{text:?} is not a network; use an IP address and the length of its prefix, such as \
             \"10.0.0.0/8\" or \"fd00::/8\""
        ));
    };
    if network.addr() != network.network() {
        let (whole, address) = (network.trunc().to_string(), network.addr().to_string());
        return Err(format!(
            "{text:?} has bits behind its prefix; use {whole:?} for the network, or {address:?} for \
             the one address"
        ));
    }
    if network.prefix_len() == 0 {
        return Err(format!(
            "{text:?} has all addresses, so that each client could say that it is another one; use \
             the networks of your proxies"
        ));
    }
    if let IpNet::V6(network) = network
        && let Some(address) = network.addr().to_ipv4_mapped()
    {
        let bits = network.prefix_len().saturating_sub(96);
        let right = format!("{address}/{bits}");
        return Err(format!("{text:?} is a network of IPv4; use {right:?}"));
    }
    Ok(network)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use super::*;
    use crate::settings::{Document, SettingsError};

    fn read(table: &str) -> Result<ProxySettings, SettingsError> {
        let (file, none) = (Path::new("a.toml"), BTreeMap::new());
        Document::parse(file, table, "A", &none)?.read(|root| Some(ProxySettings::read(root)))
    }

    #[track_caller]
    fn refused(table: &str, problems: &[&str]) {
        let SettingsError(found) = read(table).unwrap_err();
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, problems);
    }

    #[test]
    fn networks_and_addresses_are_trusted() {
        let text = "trusted = ['10.0.0.0/8', '192.0.2.1', 'fd00::/8', '::1']\nheader = 'forwarded'";
        let settings = read(text).unwrap();
        let networks: Vec<_> = settings.trusted.iter().map(ToString::to_string).collect();
        assert_eq!(networks, ["10.0.0.0/8", "192.0.2.1/32", "fd00::/8", "::1/128"]);
        assert_eq!(settings.header, Some(ForwardHeader::Forwarded));
        assert!(!settings.protocol);
        assert_eq!(read("").unwrap(), ProxySettings::default());
    }

    #[test]
    fn what_is_not_a_network_of_proxies_is_named() {
        for (network, problem) in [
            (
                "proxy.example",
                "is not a network; use an IP address and the length of its prefix, such as \
                 \"10.0.0.0/8\" or \"fd00::/8\"",
            ),
            (
                "10.1.0.0/8",
                "has bits behind its prefix; use \"10.0.0.0/8\" for the network, or \"10.1.0.0\" for \
                 the one address",
            ),
            (
                "fd00::1/64",
                "has bits behind its prefix; use \"fd00::/64\" for the network, or \"fd00::1\" for \
                 the one address",
            ),
            (
                "0.0.0.0/0",
                "has all addresses, so that each client could say that it is another one; use the \
                 networks of your proxies",
            ),
            (
                "::/0",
                "has all addresses, so that each client could say that it is another one; use the \
                 networks of your proxies",
            ),
            ("::ffff:10.0.0.0/104", "is a network of IPv4; use \"10.0.0.0/8\""),
        ] {
            let line = format!("a.toml: trusted: {network:?} {problem}");
            refused(&format!("protocol = true\ntrusted = [{network:?}]"), &[&line]);
        }
        let wrong = "a.toml: trusted: \"10.0.0.0/8\" is not valid; use a list of networks, such as \
                     [\"10.0.0.0/8\", \"fd00::/8\"]";
        refused("trusted = \"10.0.0.0/8\"", &[wrong]);
    }

    #[test]
    fn half_of_the_settings_is_named() {
        let nobody = "is set, and trusted has no network, so that nobody is believed; list the \
                      networks of your proxies in proxies.trusted";
        let (header, protocol) =
            (format!("a.toml: header: {nobody}"), format!("a.toml: protocol: {nobody}"));
        refused("header = \"x-forwarded-for\"\nprotocol = true", &[&header, &protocol]);
        let nothing = "a.toml: trusted: is set, and nothing is read of these proxies; set \
                       proxies.header or proxies.protocol to what they send";
        refused("trusted = [\"10.0.0.0/8\"]", &[nothing]);
        let unknown = "a.toml: header: \"x-real-ip\" is not valid; use \"x-forwarded-for\" or \
                       \"forwarded\"";
        refused("header = \"x-real-ip\"\nprotocol = true\ntrusted = [\"::1\"]", &[unknown]);
    }
}
