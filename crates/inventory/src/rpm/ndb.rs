//! NDB, rpm's own database format (`Packages.db` of SUSE): slots that point at blobs in blocks of 16 bytes, little-endian.

use super::LARGEST_HEADER;
use model::{Content, ReadSeek};
use std::io::SeekFrom;

/// First bytes of a database.
pub(super) const MAGIC: &[u8] = b"RpmP";

const SLOT: &[u8] = b"Slot";
const BLOB: &[u8] = b"BlbS";
const SLOT_SIZE: u64 = 16;
const BLOCK_SIZE: u64 = 16;
const PAGE_SIZE: u64 = 4096;

/// Calls `each` with the header of every package, in the order of the slots.
pub(super) fn headers(content: &mut dyn Content, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), String> {
    let size = content.size();
    let mut reader = content.reader().map_err(|error| error.to_string())?;
    let header: [u8; 32] = read_at(&mut *reader, 0).ok_or("the NDB database is shorter than its header")?;
    let pages = u64::from(u32_at(&header, 12));
    let mut problem = None;
    // The header takes the first two slots.
    for slot in 2.. {
        let at = slot * SLOT_SIZE;
        if at >= pages.saturating_mul(PAGE_SIZE) {
            break;
        }
        let Some(slot) = read_at::<16>(&mut *reader, at) else {
            problem.get_or_insert_with(|| {
                "the slots of the NDB database reach beyond its end; packages may be missing".to_owned()
            });
            break;
        };
        if !slot.starts_with(SLOT) {
            problem.get_or_insert_with(|| "a slot of the NDB database is damaged".to_owned());
            continue;
        }
        let (package, block) = (u32_at(&slot, 4), u32_at(&slot, 8));
        if package == 0 {
            continue;
        }
        match blob(&mut *reader, package, u64::from(block) * BLOCK_SIZE, size) {
            Ok(blob) => {
                if !each(&blob) {
                    return Ok(());
                }
            }
            Err(error) => _ = problem.get_or_insert(error),
        }
    }
    problem.map_or(Ok(()), Err)
}

/// The blob of a package.
fn blob(reader: &mut dyn ReadSeek, package: u32, at: u64, size: u64) -> Result<Vec<u8>, String> {
    let broken = || format!("the header of package {package} in the NDB database is damaged or missing");
    let head: [u8; 16] = read_at(reader, at).ok_or_else(broken)?;
    let length = u32_at(&head, 12) as usize;
    if !head.starts_with(BLOB) || u32_at(&head, 4) != package {
        return Err(broken());
    }
    if length > LARGEST_HEADER || length as u64 > size {
        return Err(format!(
            "the header of package {package} in the NDB database claims {length} bytes"
        ));
    }
    let mut blob = vec![0; length];
    reader.read_exact(&mut blob).map_err(|_| broken())?;
    Ok(blob)
}

fn read_at<const SIZE: usize>(reader: &mut dyn ReadSeek, at: u64) -> Option<[u8; SIZE]> {
    let mut bytes = [0; SIZE];
    reader.seek(SeekFrom::Start(at)).ok()?;
    reader.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(|bytes| bytes.first_chunk())
        .map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::super::header::tests::{bash, count};
    use model::MemoryContent;
    use proptest::prelude::*;

    /// A database of one page of slots, `slots` of which point at the same blob.
    fn database(slots: usize) -> Vec<u8> {
        let mut file = vec![0; 4096];
        file[..4].copy_from_slice(b"RpmP");
        file[12..16].copy_from_slice(&1_u32.to_le_bytes());
        for slot in 2..256 {
            let at = slot * 16;
            file[at..at + 4].copy_from_slice(b"Slot");
            if slot < 2 + slots {
                file[at + 4] = 7;
                file[at + 8..at + 12].copy_from_slice(&256_u32.to_le_bytes());
            }
        }
        let blob = bash();
        file.extend(b"BlbS");
        file.extend(7_u32.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        file.extend((blob.len() as u32).to_le_bytes());
        file.extend(blob);
        file
    }

    #[test]
    fn reads_slots_and_tells_damage() {
        assert_eq!(count(database(1)), (1, Ok(())));
        let mut lying = database(1);
        lying[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        let (found, result) = count(lying);
        assert_eq!(found, 1);
        assert!(result.is_err());
        let mut huge = database(1);
        huge[4096 + 12..4096 + 16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(
            count(huge)
                .1
                .expect_err("too large")
                .contains("claims 4294967295 bytes")
        );
    }

    #[test]
    fn slots_that_share_a_blob_end_in_a_problem() {
        let (found, result) = count(database(250));
        assert!(found < 100, "{found}");
        assert!(result.expect_err("shared blobs").contains("some twice"));
    }

    proptest! {
        #[test]
        fn damaged_databases_never_panic(at in 0_usize..4300, value in any::<u8>(), cut in 0_usize..4400) {
            let mut file = database(2);
            let at = at % file.len();
            file[at] = value;
            let _ = super::super::headers(&mut MemoryContent(file.clone()), &mut |_| true);
            file.truncate(cut);
            let _ = super::super::headers(&mut MemoryContent(file), &mut |_| true);
        }
    }
}
