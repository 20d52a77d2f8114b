//! One order: the authority says what it wants to see, sees it, and issues a certificate.

use std::time::{Duration, SystemTime};

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, Identifier, NewOrder, Order, OrderStatus,
    Problem, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};

use super::{
    super::{follow::on_thread, pair::Pair},
    AcmeSettings, Failure,
    account::shortened,
    challenges::Challenges,
    folder::Folder,
    http::with_causes,
};

/// How long the authority may take to connect to the listener, and then to issue the certificate.
const STEP_TIMEOUT: Duration = Duration::from_mins(2);

/// Orders a certificate, and keeps it.
pub(super) async fn run(
    account: &Account,
    settings: &AcmeSettings,
    folder: &Folder,
    challenges: &Challenges,
) -> Result<Pair, Failure> {
    let names: Vec<_> = settings.domains.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    let proofs = proofs(&mut order).await?;
    let shown = challenges.show(proofs);
    let shown = shown.map_err(|error| Failure::refused(error.to_string()))?;
    // From here on each failure may count for the limits of the authority.
    prove(&mut order).await.map_err(Failure::refused)?;
    drop(shown);
    let (key, request) =
        request(&settings.domains).map_err(|error| Failure::refused(error.to_string()))?;
    let (at, pem) = (folder.clone(), key.clone());
    on_thread(move || at.prepare(&pem)).await.map_err(Failure::refused)?;
    let chain =
        issue(&mut order, &request).await.map_err(|error| Failure::refused(said(&error)))?;
    let at = folder.clone();
    let received = on_thread(move || at.receive(&key, &chain)).await.map_err(Failure::refused)?;
    check(&received, settings).map_err(Failure::refused)?;
    let at = folder.clone();
    on_thread(move || at.keep(received)).await.map_err(Failure::refused)
}

/// What the authority wants to see: a digest for each name that it has not seen lately.
async fn proofs(order: &mut Order) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut proofs = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let name = authorization.identifier().to_string();
        match authorization.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            status => {
                return Err(Failure::refused(format!("the authorization of {name} is {status:?}")));
            }
        }
        let Some(challenge) = authorization.challenge(ChallengeType::TlsAlpn01) else {
            return Err(Failure::refused(format!(
                "the authority does not want to connect to {name} for TLS (tls-alpn-01); use one \
                 that does"
            )));
        };
        proofs.push((name, challenge.key_authorization().digest().as_ref().to_vec()));
    }
    Ok(proofs)
}

/// Has the authority connect to the listener. The error has its reasons.
async fn prove(order: &mut Order) -> Result<(), String> {
    set_ready(order).await.map_err(|error| said(&error))?;
    let refused = match order.poll_ready(&RetryPolicy::new().timeout(STEP_TIMEOUT)).await {
        Ok(OrderStatus::Ready | OrderStatus::Valid) => return Ok(()),
        Ok(status) => format!("the order is {status:?}"),
        Err(error) => said(&error),
    };
    let reasons = reasons(order).await;
    Err(if reasons.is_empty() { refused } else { reasons.join("; ") })
}

/// Tells the authority that it can connect.
async fn set_ready(order: &mut Order) -> Result<(), Error> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Pending
            && let Some(mut challenge) = authorization.challenge(ChallengeType::TlsAlpn01)
        {
            challenge.set_ready().await?;
        }
    }
    Ok(())
}

/// Why the authority has not seen what it wanted, for each name.
async fn reasons(order: &mut Order) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let name = authorization.identifier().to_string();
        let Ok(state) = authorization.refresh().await else { continue };
        let problems = state.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        reasons.extend(problems.map(|problem| format!("{name}: {}", detail(problem))));
    }
    reasons
}

/// The key of a certificate in PEM, and the request to sign it.
fn request(names: &[String]) -> Result<(String, Vec<u8>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key)?;
    Ok((key.serialize_pem(), request.der().to_vec()))
}

/// Has the certificate issued. Returns it with its chain, in PEM.
async fn issue(order: &mut Order, request: &[u8]) -> Result<String, Error> {
    order.finalize_csr(request).await?;
    order.poll_certificate(&RetryPolicy::new().timeout(STEP_TIMEOUT)).await
}

/// An error if the certificate cannot be used.
fn check(pair: &Pair, settings: &AcmeSettings) -> Result<(), String> {
    if !settings.are_in(&pair.names) {
        return Err(format!("the certificate was issued for {}", pair.names.join(", ")));
    }
    let problem = pair.validity.problem(SystemTime::now());
    problem.map_or(Ok(()), |what| Err(format!("the certificate {what}")))
}

/// What an error says, at a length for a log.
fn said(error: &Error) -> String {
    match error {
        Error::Api(problem) => detail(problem),
        _ => shortened(&with_causes(error)),
    }
}

fn detail(problem: &Problem) -> String {
    shortened(&problem.to_string())
}
