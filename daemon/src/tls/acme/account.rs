//! The account at the authority: it is made with the first order, and found by its key later.

use instant_acme::{Account, Error, Key};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::{
    AcmeSettings, Failure,
    folder::Folder,
    http::{Requests, with_causes},
};
use crate::tls::{OutboundTls, follow::on_thread};

/// How much of what an authority says is logged.
const CHARACTERS_MAX: usize = 1000;

/// The account of the key in `folder`. Says that the user agrees to the terms of the authority.
pub(super) async fn open(
    settings: &AcmeSettings,
    folder: &Folder,
    outbound: Option<&OutboundTls>,
) -> Result<Account, Failure> {
    let requests = Requests::new(outbound);
    let requests = requests.map_err(|error| Failure::unreached(with_causes(&error)))?;
    let folder = folder.clone();
    let key = on_thread(move || folder.account_key()).await.map_err(Failure::refused)?;
    let PrivateKeyDer::Pkcs8(der) = &key else {
        return Err(Failure::refused("the key of the account is not one that was made here"));
    };
    let signer = Key::from_pkcs8_der(der.clone_key())?;
    let builder = Account::builder_with_http(Box::new(requests));
    // The authority answers with the account of the key, if it knows one (RFC 8555, section 7.3).
    let directory = settings.directory.to_string();
    let (account, _) = builder.create_from_key((signer, key), directory).await?;
    if let Some(contact) = &settings.contact {
        account.update_contacts(&[contact]).await?;
    }
    Ok(account)
}

/// What an authority says, at a length for a log.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(CHARACTERS_MAX).collect()
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let what = shortened(&with_causes(&error));
        match error {
            Error::Api(_) => Self::refused(what),
            _ => Self::unreached(what),
        }
    }
}
