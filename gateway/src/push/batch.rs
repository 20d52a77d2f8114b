//! Reads the pushes of a batch, all of them as one work: many small ones take as long as a large
//! one.

use batch::wire::{Malformed, items};
use bytes::Bytes;
use daemon::offload::offload;

use crate::{
    api::Dialect,
    dialect::{PushRefusal, Pushes},
};

/// One push of a batch.
#[derive(Debug)]
pub(crate) struct BatchPush {
    /// How many bytes of the batch it was.
    pub(crate) bytes: usize,
    /// What it asks for.
    pub(crate) asked: Result<Pushes, PushRefusal>,
}

/// The pushes in `batch`. Those to many may have `ids_max` ids together.
pub(super) async fn read(
    dialect: Dialect,
    ids_max: usize,
    batch: Bytes,
) -> Result<Vec<BatchPush>, Malformed> {
    let bytes = batch.len();
    let read = move || {
        let mut ids_left = ids_max;
        let pushes = items(batch)?.into_iter().map(|item| {
            let asked = dialect.read_push(&item.body, ids_max);
            let asked = asked.and_then(|pushes| within(&mut ids_left, ids_max, pushes));
            BatchPush { bytes: item.body.len(), asked }
        });
        Ok(pushes.collect())
    };
    offload(bytes, read).await
}

/// `pushes`, if so many ids are left for them. Takes these ids.
fn within(ids_left: &mut usize, ids_max: usize, pushes: Pushes) -> Result<Pushes, PushRefusal> {
    let ids = match &pushes {
        Pushes::One(..) => 0,
        Pushes::Many(pushes) => pushes.iter().map(|(ids, _)| ids.len()).sum(),
    };
    *ids_left = ids_left.checked_sub(ids).ok_or_else(|| {
        let problem = format!("the pushes of a batch have more than {ids_max} ids together");
        PushRefusal::TooManyIds(problem)
    })?;
    Ok(pushes)
}
