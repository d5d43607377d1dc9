//! Archives inside files: zip, zlib and gzip behind caps that hold for everything below one top-level file.

use model::{Archives, Content, ZipVisitor};

/// The only implementation of [`Archives`]: limited in bytes, members and ratio.
#[derive(Debug, Default)]
pub struct Limited {}

impl Archives for Limited {
    fn zip(&self, _archive: &mut dyn Content, _visitor: &mut dyn ZipVisitor) -> Result<(), String> {
        Err("zip is not read yet".to_owned())
    }

    fn zlib(&self, _compressed: &[u8], _limit: usize) -> Result<Vec<u8>, String> {
        Err("zlib is not read yet".to_owned())
    }

    fn gzip(&self, _compressed: &[u8], _limit: usize) -> Result<Vec<u8>, String> {
        Err("gzip is not read yet".to_owned())
    }
}
