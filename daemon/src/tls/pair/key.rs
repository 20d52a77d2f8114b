//! The file of a key. No message shows anything of its content.

use std::path::Path;

use tokio_rustls::rustls::pki_types::{
    PrivateKeyDer,
    pem::{Error, PemObject},
};

use super::{open, read as read_text, unreadable};
use crate::{access::problem_of_secret_file, secret_files};

/// Reads the file. The error says what is wrong, and what would be right.
pub(in crate::tls) fn read(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    secret_files::note_chosen(file);
    let shown = file.display();
    let opened = open(file)?;
    let problem = problem_of_secret_file(file, &opened);
    if let Some(what) = problem.map_err(|error| unreadable(&shown.to_string(), &error))? {
        return Err(format!("{shown} {what}"));
    }
    let text = read_text(file, &opened)?;
    if text.contains("ENCRYPTED") {
        return Err(format!(
            "the key in {shown} is encrypted, and nobody is asked for its passphrase; use a key \
             without one: openssl pkey -in {shown} -out FILE"
        ));
    }
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| match error {
        Error::NoItemsFound => {
            let has = if text.contains("BEGIN CERTIFICATE") { "a certificate and " } else { "" };
            format!("{shown} has {has}no key; use a file in PEM with -----BEGIN PRIVATE KEY-----")
        }
        _ => format!("{shown} is not valid PEM; use the file as it was made"),
    })
}
