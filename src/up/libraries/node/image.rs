//! What the cloud's image for Node 12.16 has beside Node, as the cloud lists it in
//! <https://www.tencentcloud.com/document/product/583/11060>. Its images for newer releases have
//! nothing.

/// Packages, and which versions fit code that was made for that image.
const PACKAGES: [(&str, &str); 17] = [
    ("base64-js", "^1.3.1"),
    ("cos-nodejs-sdk-v5", "^2.5.20"),
    ("crypto-browserify", "^3.12.0"),
    ("ieee754", "^1.1.13"),
    ("imagemagick", "^0.1.3"),
    ("isarray", "^2.0.5"),
    ("jmespath", "^0.15.0"),
    ("lodash", "^4.17.15"),
    ("microtime", "^3.0.0"),
    ("puppeteer", "^2.1.1"),
    ("qcloudapi-sdk", "^0.2.1"),
    ("request", "^2.88.2"),
    ("sax", "^1.2.4"),
    ("tencentcloud-sdk-nodejs", "^3.0.147"),
    ("uuid", "^7.0.3"),
    ("xml2js", "^0.4.23"),
    ("xmlbuilder", "^15.1.0"),
];

/// A package that the cloud's image has, with its versions.
pub(super) fn of_image(package: &str) -> Option<(&'static str, &'static str)> {
    let at = PACKAGES.binary_search_by_key(&package, |(package, _)| package).ok()?;
    Some(PACKAGES[at])
}

#[cfg(test)]
mod tests {
    use super::{PACKAGES, of_image};

    #[test]
    fn packages_are_found() {
        assert!(PACKAGES.is_sorted());
        for (package, range) in PACKAGES {
            assert_eq!(of_image(package), Some((package, range)));
        }
        assert_eq!(of_image("axios"), None);
    }
}
