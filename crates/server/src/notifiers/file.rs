//! Alerts in a file that is rotated.

use super::{Kind, MakeStdout, Notifier, Plan, SendError};
use crate::destination::{RotateSettings, Target};
use model::Meta;
use model::event::Alert;
use std::fs::{self, File as StdFile, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The member.
pub(super) static FILE: File = File;

pub(super) struct File;

static META: Meta = Meta {
    name: "file",
    title: "A file, with rotation by size",
    finds: &[
        "`text=FILE`, `json=FILE` or `ocsf=FILE`: one line an alert, appended",
        "`rotate = { max_mib = 100, files = 5 }` puts full files aside as `FILE.1` (the newest) to `FILE.5`",
        "SIGHUP opens the file anew, after logrotate or the like has moved it",
    ],
    needs: &[],
    references: &[],
};

impl Kind for File {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn takes(&self, target: &Target) -> bool {
        matches!(target, Target::File(_))
    }

    fn open(&self, plan: Plan, _stdout: &MakeStdout<'_>) -> Result<Box<dyn Notifier>, String> {
        let Target::File(path) = &plan.destination.target else {
            return Err("is no file".to_owned());
        };
        let path = path.clone();
        let rotate = plan.settings.rotate.clone();
        let open = open(&path).map_err(|error| format!("cannot be opened for writing: {error}"))?;
        Ok(Box::new(Appender {
            plan,
            path,
            rotate,
            open: Some(open),
        }))
    }
}

struct Appender {
    plan: Plan,
    path: PathBuf,
    rotate: Option<RotateSettings>,
    open: Option<Open>,
}

struct Open {
    file: StdFile,
    /// `None` for what is no regular file and has no length.
    length: Option<u64>,
}

fn open(path: &Path) -> io::Result<Open> {
    // A pipe without a reader would wait for ever.
    if fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo()) {
        return Err(io::Error::other("it is a pipe"));
    }
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        // Alerts tell what runs on the host.
        .mode(0o640)
        .open(path)?;
    let metadata = file.metadata()?;
    Ok(Open {
        length: metadata.is_file().then_some(metadata.len()),
        file,
    })
}

impl Notifier for Appender {
    fn batch(&self) -> usize {
        100
    }

    fn encode(&self, alerts: &[&Alert]) -> Vec<u8> {
        self.plan.encode(alerts)
    }

    fn send(&mut self, body: &[u8]) -> Result<(), SendError> {
        let fail = |error: &io::Error| SendError::again(format!("{}: {error}", self.plan.destination.name()));
        let mut open = match self.open.take() {
            Some(open) => open,
            None => open(&self.path).map_err(|error| fail(&error))?,
        };
        if let (Some(rotate), Some(length)) = (&self.rotate, open.length)
            && length > 0
            && length + body.len() as u64 > rotate.max_mib.max(1) * 1024 * 1024
        {
            rotate_files(&self.path, rotate.files).map_err(|error| fail(&error))?;
            open = self::open(&self.path).map_err(|error| fail(&error))?;
        }
        if let Err(error) = open.file.write_all(body) {
            if let Some(length) = open.length {
                // Half a line would spoil the next one.
                let _ = open.file.set_len(length);
            }
            return Err(fail(&error));
        }
        open.length = open.length.map(|length| length + body.len() as u64);
        self.open = Some(open);
        Ok(())
    }

    fn reopen(&mut self) -> Result<(), SendError> {
        self.open = None;
        let open = open(&self.path)
            .map_err(|error| SendError::again(format!("{}: {error}", self.plan.destination.name())))?;
        self.open = Some(open);
        Ok(())
    }
}

/// `FILE.1` becomes `FILE.2` and so on, the last one goes, `FILE` becomes `FILE.1`.
fn rotate_files(path: &Path, files: u32) -> io::Result<()> {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    if files == 0 {
        return fs::remove_file(path);
    }
    for number in (1..files).rev() {
        match fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, numbered(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::OutputSettings;
    use report::alerts::AlertOptions;

    fn appender(path: &Path, rotate: Option<RotateSettings>) -> Box<dyn Notifier> {
        let mut settings = OutputSettings::new(format!("json={}", path.display()));
        settings.rotate = rotate;
        let (destination, _) = settings.resolve().expect("destination");
        let plan = Plan {
            destination,
            settings,
            options: AlertOptions::default(),
        };
        FILE.open(plan, &|| Box::new(io::sink())).expect("opened")
    }

    #[allow(clippy::disallowed_methods, reason = "tests read what was written")]
    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn full_files_are_put_aside() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("alerts.json");
        let rotate = RotateSettings { max_mib: 1, files: 2 };
        let mut file = appender(&path, Some(rotate));
        let line = |letter: char| format!("{}\n", letter.to_string().repeat(600 * 1024));
        for letter in ['a', 'b', 'c', 'd'] {
            file.send(line(letter).as_bytes()).expect("written");
        }
        assert_eq!(read(&path), line('d'));
        assert_eq!(read(&folder.path().join("alerts.json.1")), line('c'));
        assert_eq!(read(&folder.path().join("alerts.json.2")), line('b'));
        assert!(!folder.path().join("alerts.json.3").exists());
        // A file that is there is gone on with, its length counted.
        let mut file = appender(&path, Some(RotateSettings { max_mib: 1, files: 1 }));
        file.send(line('e').as_bytes()).expect("written");
        assert_eq!(read(&folder.path().join("alerts.json.1")), line('d'));
    }

    #[test]
    fn a_moved_file_is_opened_anew_when_asked() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("alerts.json");
        let mut file = appender(&path, None);
        file.send(b"1\n").expect("written");
        let moved = folder.path().join("moved");
        fs::rename(&path, &moved).expect("renamed");
        file.send(b"2\n").expect("written");
        file.reopen().expect("opened");
        file.send(b"3\n").expect("written");
        assert_eq!(read(&moved), "1\n2\n");
        assert_eq!(read(&path), "3\n");
    }

    #[test]
    fn a_full_disk_is_tried_again() {
        let mut file = appender(
            Path::new("/dev/full"),
            Some(RotateSettings { max_mib: 1, files: 1 }),
        );
        for _ in 0..3 {
            let error = file.send(b"line\n").expect_err("no space");
            assert!(
                error.retry && error.message.contains("No space left"),
                "{error:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_written_is_said_at_once() {
        let settings = OutputSettings::new("text=/nowhere/alerts.txt");
        let (destination, _) = settings.resolve().expect("destination");
        let plan = Plan {
            destination,
            settings,
            options: AlertOptions::default(),
        };
        let error = FILE
            .open(plan, &|| Box::new(io::sink()))
            .err()
            .expect("no such folder");
        assert!(
            error.starts_with("cannot be opened for writing: No such file"),
            "{error}"
        );
    }
}
