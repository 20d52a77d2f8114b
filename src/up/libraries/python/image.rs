//! What the cloud's image for Python 3.6 has beside Python, as the cloud lists it in
//! <https://www.tencentcloud.com/document/product/583/40323>. Its images for newer releases have
//! nothing, and code for them that brings its libraries along does not come here.

/// Modules, and the package that has each.
const MODULES: [(&str, &str); 40] = [
    ("MySQLdb", "mysqlclient"),
    ("PIL", "Pillow"),
    ("absl", "absl-py"),
    ("asn1crypto", "asn1crypto"),
    ("astor", "astor"),
    ("bleach", "bleach"),
    ("certifi", "certifi"),
    ("cffi", "cffi"),
    ("chardet", "chardet"),
    ("cryptography", "cryptography"),
    ("dicttoxml", "dicttoxml"),
    ("gast", "gast"),
    ("grpc", "grpcio"),
    ("html5lib", "html5lib"),
    ("idna", "idna"),
    ("iniparse", "iniparse"),
    ("markdown", "Markdown"),
    ("numpy", "numpy"),
    ("pkg_resources", "setuptools<81"),
    ("psycopg2", "psycopg2-binary"),
    ("pycparser", "pycparser"),
    ("pycurl", "pycurl"),
    ("pymysql", "PyMySQL"),
    ("pytz", "pytz"),
    ("qcloud_cos", "cos-python-sdk-v5"),
    ("qcloud_image", "qcloud-image"),
    ("qcloudsms_py", "qcloudsms-py"),
    ("requests", "requests"),
    ("serverless_db_sdk", "serverless-db-sdk"),
    ("setuptools", "setuptools"),
    ("six", "six"),
    ("tencentcloud", "tencentcloud-sdk-python"),
    ("tencentserverless", "tencentserverless"),
    ("tensorboard", "tensorboard"),
    ("tensorflow", "tensorflow"),
    ("tensorflow_serving", "tensorflow-serving-api"),
    ("termcolor", "termcolor"),
    ("urllib3", "urllib3"),
    ("werkzeug", "Werkzeug"),
    ("wheel", "wheel"),
];

/// The package with a module that the cloud's image has.
pub(super) fn distribution_of(module: &str) -> Option<&'static str> {
    let at = MODULES.binary_search_by_key(&module, |(module, _)| module).ok()?;
    Some(MODULES[at].1)
}

#[cfg(test)]
mod tests {
    use super::{MODULES, distribution_of};

    #[test]
    fn modules_are_found() {
        assert!(MODULES.is_sorted());
        for (module, distribution) in MODULES {
            assert_eq!(distribution_of(module), Some(distribution));
        }
        assert_eq!(distribution_of("redis"), None);
    }
}
