//! Documents for tests of what stands above.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use super::{Document, instance::instances};
use crate::{files::Form, note::Notes, yaml};

pub(crate) fn document(file: &str, text: &str) -> Document {
    let file: Arc<Path> = Path::new(file).into();
    let root = yaml::parse(&file, text).unwrap().root.unwrap();
    let (instances, is_map) = instances(&root, Form::Serverless, &mut Notes::default());
    Document { file, root, is_map, instances, dotenv: BTreeMap::new() }
}
