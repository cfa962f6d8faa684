//! Where the program may not write, or has little memory, or a store is damaged.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;

use ecnas::store::{Store, StoreError};
use sha2::{Digest, Sha256};

use crate::program::{Folder, Run};

/// A store `s.redb` of so many trials.
fn store(folder: &Folder, trials: u32) {
    let mut text = "adjacency,operations,energy_kwh,budget,repeat\n".to_owned();
    for repeat in 1..=trials {
        text += &format!("010001000,\"input,maxpool3x3,output\",{repeat},4,{repeat}\n");
    }
    fs::write(folder.path("own.csv"), text).unwrap();
    folder.print(&["import", "-s", "s.redb", "own.csv"]);
}

/// Runs the program as somebody who is not root, where the tests are.
fn as_nobody(folder: &Folder, arguments: &[&str]) -> Run {
    // The built program may lie where nobody else may look.
    let program = folder.path("ecnas");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_ecnas"), &program).unwrap();
    }
    let mut command = folder.command(program);
    if fs::metadata(folder.path("s.redb")).unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    Run::from(command.args(arguments).output().unwrap())
}

fn state(path: &Path) -> (Vec<u8>, std::time::SystemTime) {
    let digest = Sha256::digest(fs::read(path).unwrap()).to_vec();
    (digest, fs::metadata(path).unwrap().modified().unwrap())
}

#[test]
fn info_verify_and_seal_of_a_store_need_no_permission_to_write_and_change_nothing() {
    let folder = Folder::new();
    store(&folder, 100);
    let (path, out) = (folder.path("s.redb"), folder.path("out"));
    fs::create_dir(&out).unwrap();
    fs::set_permissions(&out, Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(folder.path("."), Permissions::from_mode(0o555)).unwrap();
    let before = state(&path);
    for arguments in [
        &["info", "s.redb"][..],
        &["verify", "s.redb"],
        &["seal", "-s", "s.redb", "-o", "out/t.ecnas"],
    ] {
        let run = as_nobody(&folder, arguments);
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}");
        assert!(run.out.contains("100 trials"), "{arguments:?}: {}", run.out);
        assert_eq!(state(&path), before, "{arguments:?}");
    }
    // The control: what writes is refused.
    let run = as_nobody(&folder, &["import", "-s", "s.redb", "own.csv"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("ermission"), "{}", run.err);
    fs::set_permissions(folder.path("."), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_store_that_a_writer_has_open_is_in_use() {
    let folder = Folder::new();
    store(&folder, 3);
    let _writer = Store::open(folder.path("s.redb")).unwrap();
    for arguments in [&["info", "s.redb"][..], &["verify", "s.redb"]] {
        let (code, line) = folder.fail(arguments);
        assert_eq!(code, 1);
        assert!(line.contains("in use") && line.contains("wait"), "{line}");
    }
}

#[test]
fn damage_that_leads_the_storage_engine_astray_is_one_line() {
    let folder = Folder::new();
    store(&folder, 300);
    let path = folder.path("s.redb");
    let whole = fs::read(&path).unwrap();
    // Pages of which the engine's panic is caught.
    let mut found = 0;
    for start in (4096..whole.len()).step_by(4096) {
        let mut bytes = whole.clone();
        let end = bytes.len().min(start + 64);
        bytes[start + 1..end].fill(0xFF);
        fs::write(&path, &bytes).unwrap();
        let read = Store::open_read_only(&path).and_then(|mut store| {
            store.tables()?;
            store.verify()
        });
        let Err(StoreError::Damaged { expected, .. }) = read else {
            continue;
        };
        if expected == "pages that make sense" && found < 5 {
            found += 1;
            let (code, line) = folder.fail(&["verify", "s.redb"]);
            assert_eq!(code, 1);
            assert!(line.contains("expected pages that make sense"), "{line}");
        }
    }
    assert!(found > 0, "no page leads it astray");
}

#[test]
fn too_little_memory_to_build_the_default_benchmark_is_an_error() {
    let folder = Folder::new();
    for kilobytes in [60_000, 100_000, 200_000, 300_000, 400_000] {
        let script = format!("ulimit -v {kilobytes}; exec \"$0\" \"$@\"");
        let mut command = folder.command("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_ecnas"), "front"]);
        let run = Run::from(command.output().unwrap());
        assert_eq!(run.code, 1, "{kilobytes}: {}", run.err);
        let line = run.err.trim_end().strip_prefix("error: ").unwrap();
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(
            line.contains("MB of memory") && line.contains("ulimit -v"),
            "{line}"
        );
        let left = fs::read_dir(folder.path("cache")).unwrap().flatten();
        let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
        assert!(
            left.iter()
                .all(|name| name.to_string_lossy().ends_with(".lock")),
            "{left:?}"
        );
    }
}
