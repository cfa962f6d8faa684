//! The cache folder: whose files are used, what is left of killed runs, its bound, and `ecnas cache`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::program::{DEEP, FLAT, Folder, Run, hash};

/// The command that seals `own.csv` into the cache.
const FRONT: [&str; 2] = ["front", "own.csv"];

/// A folder with `own.csv` and a cache that holds its copy; and the path of that.
fn folder() -> (Folder, PathBuf) {
    let folder = Folder::new();
    let text = format!(
        "hash,energy_kwh,validation_accuracy,budget\n{},2,0.9,4\n{},1,0.895,4\n",
        hash(DEEP),
        hash(FLAT)
    );
    fs::write(folder.path("own.csv"), text).unwrap();
    folder.print(&FRONT);
    let names = names(&folder);
    assert_eq!(names.len(), 1, "{names:?}");
    let copy = folder.path("cache").join(&names[0]);
    (folder, copy)
}

/// What is in the cache folder.
fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path("cache")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// The folder in which a file of the cache is made.
fn making(copy: &Path) -> PathBuf {
    let name = copy.file_name().unwrap().to_str().unwrap();
    copy.with_file_name(format!("{name}.making"))
}

/// The lock of a process that makes the copy, which holds it while the file is open.
fn lock(copy: &Path) -> File {
    let folder = making(copy);
    fs::create_dir(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    lock
}

fn start(folder: &Folder, words: &[&str]) -> Child {
    let mut command = folder.command(env!("CARGO_BIN_EXE_ecnas"));
    command.args(words);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits until the process says that it waits.
fn waits(child: &mut Child) {
    let mut line = String::new();
    let mut error = std::io::BufReader::with_capacity(1, child.stderr.as_mut().unwrap());
    std::io::BufRead::read_line(&mut error, &mut line).unwrap();
    assert!(
        line.starts_with("note: waiting for another process"),
        "{line}"
    );
}

#[cfg(unix)]
fn signal(name: &str, child: &Child) {
    let mut kill = Command::new("kill");
    kill.args([name, &child.id().to_string()]);
    assert!(kill.status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_lock_that_is_no_regular_file_is_refused_and_a_link_keeps_what_it_leads_to() {
    let (folder, copy) = folder();
    fs::remove_file(&copy).unwrap();
    fs::write(folder.path("precious"), "precious").unwrap();
    fs::create_dir(making(&copy)).unwrap();
    let lock = making(&copy).join("lock");
    std::os::unix::fs::symlink(folder.path("precious"), &lock).unwrap();
    let refused = |what: &str| {
        let run = folder.run(&FRONT);
        assert_eq!(run.code, 0, "{what}");
        assert!(run.out.contains(&hash(DEEP)), "{what}");
        let parts = ["note: ", "expected a regular file as the lock", "remove it"];
        assert!(
            parts.iter().all(|part| run.err.contains(part)),
            "{}",
            run.err
        );
        assert!(!copy.exists());
    };
    refused("a link");
    assert_eq!(fs::read(folder.path("precious")).unwrap(), b"precious");
    fs::remove_file(&lock).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&lock)
            .status()
            .unwrap()
            .success()
    );
    refused("a pipe");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    refused("a folder");
    fs::remove_dir(&lock).unwrap();
    folder.print(&FRONT);
    assert_eq!(names(&folder).len(), 1);
}

#[test]
fn whoever_waits_for_another_process_says_so_and_answers_after_it() {
    let (folder, copy) = folder();
    fs::remove_file(&copy).unwrap();
    let lock = lock(&copy);
    let mut child = start(&folder, &FRONT);
    waits(&mut child);
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().unwrap().is_none(), "it did not wait");
    drop(lock);
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.contains(&hash(DEEP)));
    assert_eq!(names(&folder).len(), 1);
}

#[cfg(unix)]
#[test]
fn signals_end_the_program_when_it_has_tidied_up_and_are_told_by_its_exit_code() {
    let (folder, copy) = folder();
    fs::remove_file(&copy).unwrap();
    many(&folder);
    for (name, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        if name == "-HUP" && hang_up_is_ignored() {
            eprintln!(
                "skipped: this process was started with SIGHUP ignored, and so are its children"
            );
            continue;
        }
        // While it waits for another process.
        let lock = lock(&copy);
        let mut child = start(&folder, &FRONT);
        waits(&mut child);
        signal(name, &child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{name}");
        fs::remove_dir_all(making(&copy)).unwrap();
        drop(lock);
        // While it imports: it has begun when its own folder is there.
        let child = start(&folder, &["front", "many.csv"]);
        while names(&folder).is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        signal(name, &child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{name}");
        assert_eq!(names(&folder), [""; 0], "{name}");
    }
}

#[cfg(unix)]
fn hang_up_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1)
}

/// A CSV file whose import takes a while, as `many.csv`.
fn many(folder: &Folder) {
    let mut text = "adjacency,operations,energy_kwh,validation_accuracy,budget,repeat\n".to_owned();
    for repeat in 1..=300_000 {
        text += &format!("010001000,\"input,maxpool3x3,output\",{repeat},0.9,4,{repeat}\n");
    }
    fs::write(folder.path("many.csv"), text).unwrap();
}

#[test]
fn what_killed_runs_left_is_removed_and_what_a_living_one_makes_stays() {
    let (folder, copy) = folder();
    let other = copy.with_file_name(format!("{}.ecnas", "0".repeat(64)));
    let third = copy.with_file_name(format!("{}.ecnas", "1".repeat(64)));
    // Of a process that lives; of one that is dead; as earlier versions named it; and of nobody.
    let lock = lock(&other);
    fs::write(making(&other).join("part"), "").unwrap();
    fs::create_dir(making(&third)).unwrap();
    fs::write(making(&third).join("lock"), "").unwrap();
    fs::write(making(&third).join("part"), "").unwrap();
    fs::create_dir(folder.path("cache/.making-abcdef")).unwrap();
    fs::write(folder.path("cache/.making-abcdef/store.redb"), "").unwrap();
    fs::create_dir(folder.path("cache/my.making")).unwrap();
    let left = |names: &[String]| {
        let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut expected = vec![
            name(copy.clone()),
            name(making(&other)),
            "my.making".to_owned(),
        ];
        expected.sort();
        assert_eq!(names, expected);
    };
    // Whoever makes the next copy.
    fs::remove_file(&copy).unwrap();
    folder.print(&FRONT);
    left(&names(&folder));
    assert!(making(&other).join("part").exists());
    // Nor does emptying the cache touch it.
    fs::create_dir(making(&third)).unwrap();
    folder.print(&["cache", "--clear"]);
    assert!(making(&other).join("part").exists() && !making(&third).exists());
    drop(lock);
    folder.print(&["cache", "--clear"]);
    assert_eq!(names(&folder), ["my.making"]);
}

#[cfg(unix)]
#[test]
fn a_cache_that_others_may_change_is_not_used() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let (folder, copy) = folder();
    let cache = folder.path("cache");
    let mode = |mode: u32| fs::set_permissions(&cache, fs::Permissions::from_mode(mode)).unwrap();
    let found = fs::metadata(&cache).unwrap().permissions().mode() & 0o7777;
    assert_eq!(found, 0o700, "it is made for its user alone");
    let unused = |reason: &str| {
        let run = folder.run(&FRONT);
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(run.out.contains(&hash(DEEP)));
        let parts = ["note: ", reason, "ECNAS_CACHE", "temporary copy"];
        assert!(
            parts.iter().all(|part| run.err.contains(part)),
            "{}",
            run.err
        );
        for words in [&["cache"][..], &["cache", "--clear"]] {
            let (code, line) = folder.fail(words);
            assert!(code == 1 && line.contains(reason), "{line}");
        }
        assert!(copy.exists());
    };
    for open in [0o770, 0o702, 0o1777] {
        mode(open);
        unused("others may write to it");
    }
    mode(0o755);
    folder.print(&FRONT);
    if chown(&cache, Some(12_345), None).is_err() {
        eprintln!("skipped: only root can give a folder away");
        return;
    }
    unused("it belongs to another user (number 12345)");
}

#[cfg(unix)]
#[test]
fn what_the_cache_makes_is_its_users_alone_under_any_umask() {
    use std::os::unix::fs::MetadataExt;
    let (folder, copy) = folder();
    fs::remove_dir_all(folder.path("cache")).unwrap();
    let script = "umask 0; exec \"$0\" \"$@\"";
    for _ in 0..2 {
        let mut command = folder.command("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_ecnas")]);
        let run = Run::from(command.args(FRONT).output().unwrap());
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        for path in [&folder.path("cache"), &copy] {
            assert_eq!(fs::metadata(path).unwrap().mode() & 0o022, 0);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_copy_that_others_may_change_is_made_again_in_its_place() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
    let (folder, copy) = folder();
    let expected = folder.print(&FRONT);
    let whole = fs::read(&copy).unwrap();
    // What is there instead would answer otherwise.
    folder.small(1);
    let other = folder.path("small.ecnas");
    let replaced = || {
        assert_eq!(folder.print(&FRONT), expected);
        let found = fs::symlink_metadata(&copy).unwrap();
        assert!(found.is_file() && found.mode() & 0o022 == 0);
        assert!(fs::read(&copy).unwrap() == whole);
    };
    let put = |mode: u32| {
        fs::copy(&other, &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(mode)).unwrap();
    };
    for mode in [0o664, 0o646] {
        put(mode);
        replaced();
    }
    fs::remove_file(&copy).unwrap();
    symlink(&other, &copy).unwrap();
    replaced();
    put(0o644);
    if chown(&copy, Some(12_345), None).is_ok() {
        replaced();
    }
}

#[test]
fn the_cache_is_listed_and_emptied_and_other_files_stay() {
    let (folder, copy) = folder();
    let name = copy.file_name().unwrap().to_str().unwrap();
    fs::write(folder.path("cache/mine.ecnas"), "mine").unwrap();
    fs::write(folder.path("cache/nas-bench-101-mine.ecnas"), "mine").unwrap();
    let list = folder.json(&["cache", "--json"]);
    assert_eq!(list["folder"], folder.path("cache").display().to_string());
    assert_eq!(list["files"].as_array().unwrap().len(), 1);
    let file = &list["files"][0];
    assert_eq!(
        (&file["name"], &file["contents"]),
        (&name.into(), &"copy".into())
    );
    assert_eq!(file["sources"][0], "own.csv");
    assert_eq!(file["bytes"], fs::metadata(&copy).unwrap().len());
    let age =
        SystemTime::UNIX_EPOCH + Duration::from_secs(file["last_used_unix_s"].as_u64().unwrap());
    assert!(age.elapsed().unwrap() < Duration::from_secs(600));
    let text = folder.print(&["cache"]);
    assert!(
        text.contains("1 file") && text.contains("copy of own.csv"),
        "{text}"
    );
    let text = folder.print(&["cache", "--clear"]);
    assert!(text.contains("1 file removed"), "{text}");
    assert_eq!(names(&folder), ["mine.ecnas", "nas-bench-101-mine.ecnas"]);
    assert_eq!(folder.json(&["cache", "--json"])["bytes"], 0);
    // Where there is none, there is nothing to list.
    let empty = Folder::new();
    assert!(empty.print(&["cache"]).contains("0 files"));
    empty.print(&["cache", "--clear"]);
    assert!(!empty.path("cache").exists());
}

#[test]
fn the_copies_used_least_recently_go_first_and_the_default_benchmark_stays() {
    let (folder, copy) = folder();
    let now = SystemTime::now();
    let put = |name: &str, hours: u64| {
        let path = folder.path("cache").join(name);
        let file = File::create(&path).unwrap();
        file.set_modified(now - Duration::from_secs(3600 * hours))
            .unwrap();
        path
    };
    let version = env!("CARGO_PKG_VERSION");
    let current = put(
        &format!("nas-bench-101-{version}-01234567-89abcdef.ecnas"),
        9_000,
    );
    let old = put("nas-bench-101-0.0.1-01234567-89abcdef.ecnas", 9_000);
    let mine = put("mine.ecnas", 9_000);
    let copies: Vec<PathBuf> = (1..=40_u64)
        .map(|number| put(&format!("{number:064x}.ecnas"), number))
        .collect();
    // Found again, it is the one used last.
    File::open(&copy)
        .unwrap()
        .set_modified(now - Duration::from_secs(3600 * 8_000))
        .unwrap();
    folder.print(&FRONT);
    fs::write(
        folder.path("more.csv"),
        fs::read(folder.path("own.csv")).unwrap(),
    )
    .unwrap();
    folder.print(&["front", "more.csv"]);
    assert!(copy.exists() && current.exists() && mine.exists() && !old.exists());
    // With the two copies, 32.
    for (number, path) in copies.iter().enumerate() {
        assert_eq!(path.exists(), number < 30, "{}", path.display());
    }
}

#[test]
fn a_file_of_the_cache_is_no_output() {
    let (folder, copy) = folder();
    folder.small(1);
    let path = copy.to_str().unwrap();
    std::os::unix::fs::symlink(&copy, folder.path("link.ecnas")).unwrap();
    for words in [
        &["build", "-o", "link.ecnas", "--force"][..],
        &["build", "-o", path],
        &["export", "small.ecnas", "-f", "csv", "-o", path, "--force"],
    ] {
        let (code, line) = folder.fail(words);
        assert!(code == 1 && line.contains("a file of the cache"), "{line}");
    }
}

/// The process waits for a lock between its digest of the source and its import.
#[test]
fn a_source_replaced_between_its_digest_and_its_import_is_not_kept_under_the_old_one() {
    let (folder, copy) = folder();
    let old = fs::read_to_string(folder.path("own.csv")).unwrap();
    let answer = folder.print(&FRONT);
    fs::remove_file(&copy).unwrap();
    let lock = lock(&copy);
    let mut child = start(&folder, &FRONT);
    waits(&mut child);
    fs::write(folder.path("own.csv"), old.replace(",2,", ",3,")).unwrap();
    drop(lock);
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(
        run.err
            .contains("own.csv: it was changed or replaced while it was read"),
        "{}",
        run.err
    );
    assert_eq!(names(&folder), [""; 0]);
    fs::write(folder.path("own.csv"), old).unwrap();
    assert_eq!(folder.print(&FRONT), answer);
}
