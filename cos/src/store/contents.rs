//! Contents come and go: in a folder with a turn for the disk, in a bucket beside these turns.

use std::sync::Arc;

use super::{
    Content, HeldObject, Inner, Store,
    draft::Unsent,
    file_name::FileName,
    files::{Piece, Segment},
    place::Place,
};
use crate::refusal::Refusal;

impl Store {
    /// Does `work` with the bucket to its end, even if the future is dropped.
    async fn send_all<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.check_epoch()?;
        let done = self.0.sends.spawn(work).await;
        // A panic, or the end of the process.
        done.unwrap_or_else(|error| Err(Refusal::internal(error)))
    }

    /// Sends the only segment of a content to the bucket.
    pub(super) async fn send(
        &self,
        mut content: Content,
        unsent: Unsent,
    ) -> Result<Content, Refusal> {
        let sending = async move {
            content.segments.push(unsent.send().await?);
            Ok(content)
        };
        self.send_all(sending).await
    }

    /// The same content again, for another object.
    pub(crate) async fn copy(&self, object: &Arc<HeldObject>) -> Result<Content, Refusal> {
        let object = Arc::clone(object);
        let mut copy = self.0.files.empty_copy(object.object());
        match self.0.files.place() {
            Place::Folder(folder) => {
                let folder = Arc::clone(folder);
                let copying = move |inner: &Inner| {
                    for Segment { file, size } in &object.object().segments {
                        let name = FileName::random();
                        folder.copy(file, &name, &inner.files.draft_path(&name))?;
                        copy.segments.push(Segment { file: name, size: *size });
                    }
                    Ok(copy)
                };
                self.work(copying).await
            }
            Place::Bucket(bucket) => {
                let bucket = bucket.clone();
                let copying = async move {
                    for Segment { file, size } in &object.object().segments {
                        let name = FileName::random();
                        bucket.copy(file, &name, *size).await?;
                        copy.segments.push(Segment { file: name, size: *size });
                    }
                    Ok(copy)
                };
                self.send_all(copying).await
            }
        }
    }

    /// Reads a piece of an object, whose files stay meanwhile.
    pub(super) async fn read(
        &self,
        held: &Arc<HeldObject>,
        piece: Piece,
    ) -> Result<Vec<u8>, Refusal> {
        let Piece { file, offset, length } = piece;
        match self.0.files.place() {
            Place::Folder(folder) => {
                let (folder, held) = (Arc::clone(folder), Arc::clone(held));
                let reading = move |_: &Inner| {
                    let mut bytes = vec![0; length];
                    folder.read(&file, offset, &mut bytes)?;
                    drop(held);
                    Ok(bytes)
                };
                self.work(reading).await
            }
            Place::Bucket(bucket) => bucket.read(&file, offset, length).await,
        }
    }

    /// Waits until nothing is being sent or removed any more.
    pub(crate) async fn settled(&self) {
        self.0.sends.close();
        self.0.sends.wait().await;
        if let Place::Bucket(bucket) = self.0.files.place() {
            bucket.end_removals().await;
        }
    }
}
