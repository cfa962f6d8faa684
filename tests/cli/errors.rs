//! What goes wrong: one line that says what, where and what to do, the exit code, and nothing left behind.

use std::fs;
#[cfg(unix)]
use std::process::Command;

use crate::program::{DEEP, FLAT, Folder, hash};

/// A CSV file of many cells, as `many.csv`.
fn many(folder: &Folder) {
    let mut text = "adjacency,operations,energy_kwh,budget,repeat\n".to_owned();
    for repeat in 1..=3000 {
        text += &format!("010001000,\"input,maxpool3x3,output\",{repeat},4,{repeat}\n");
    }
    fs::write(folder.path("many.csv"), text).unwrap();
}

#[test]
fn files_that_are_something_else() {
    let folder = Folder::new();
    let small = folder.small(1);
    many(&folder);
    folder.print(&["import", "-s", "many.redb", "many.csv"]);
    fs::write(folder.path("empty"), "").unwrap();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 893545\n";
    fs::write(folder.path("pointer"), pointer).unwrap();
    fs::create_dir(folder.path("bare")).unwrap();
    for (words, parts) in [
        (
            &["import", "-s", "new.redb", "absent"][..],
            &["absent", "check the path"][..],
        ),
        (
            &["import", "-s", "new.redb", "empty"],
            &["empty", "download or export it again"],
        ),
        (
            &["import", "-s", "new.redb", "pointer"],
            &["Git LFS", "git lfs pull"],
        ),
        (&["import", "-s", "new.redb", "bare"], &["holds no results"]),
        (&["import", "-s", "new.redb", small], &["sealed snapshot"]),
        (&["import", "-s", "new.redb", "many.redb"], &["store"]),
        (
            &["import", "-s", small, "many.csv"],
            &["expected an ecnas store", "sealed snapshot"],
        ),
        (&["recipe", "absent"], &["absent", "check the path"]),
        (&["recipe", "empty"], &["empty"]),
        (&["recipe", "pointer"], &["git lfs pull"]),
        (&["recipe", "bare"], &["holds no results"]),
        (&["front", "many.redb"], &["seal it first", "ecnas seal"]),
        (
            &["get", "many.csv", DEEP],
            &["expected a sealed snapshot", "hint"],
        ),
        (&["get", "many.redb", DEEP], &["seal it first"]),
        (&["verify", "empty"], &["an empty file"]),
        (&["verify", "pointer"], &["git lfs pull"]),
        (&["verify", "bare"], &["found a folder"]),
        (&["info", "absent"], &["check the path"]),
        (
            &["seal", "-s", "absent", "-o", "new.ecnas"],
            &["absent", "check the path"],
        ),
        (
            &["seal", "-s", small, "-o", "new.ecnas"],
            &["expected an ecnas store"],
        ),
        (
            &["seal", "-s", "many.redb", "-o", "many.csv"],
            &["choose another name"],
        ),
        (
            &["seal", "-s", "many.redb", "-o", "many.redb"],
            &["choose another name"],
        ),
        (
            &["export", small, "-f", "csv", "-o", small],
            &["choose another name"],
        ),
        (
            &["export", small, "-f", "csv", "-o", "no/where"],
            &["no/where", "check the path"],
        ),
    ] {
        let (code, line) = folder.fail(words);
        assert_eq!(code, 1, "{words:?}: {line}");
        for part in parts {
            assert!(line.contains(part), "{words:?}: {line}");
        }
    }
    let files = folder.files();
    assert!(
        files.iter().all(|name| !name.starts_with("new")),
        "{files:?}"
    );
    let kept = fs::read_dir(folder.path("cache")).unwrap();
    assert_eq!(kept.count(), 0, "nothing of what failed stays in the cache");
}

#[test]
fn what_is_not_there_is_named() {
    let folder = Folder::new();
    let small = folder.small(1);
    let unknown = "00000000000000000000000000000000";
    for (words, part) in [
        (&["get", small, unknown][..], "does not hold cell"),
        (
            &["get", small, &hash(FLAT), "--budget", "36"],
            "it has 4 and 12 epochs",
        ),
        (
            &["get", small, &hash(FLAT), "--table", "huge"],
            "no table `huge`",
        ),
        (
            &["get", small, &hash(FLAT), "--budget", "4", "--repeats", "9"],
            "does not hold",
        ),
        (&["front", small, "--x", "latency"], "no column `latency`"),
        (
            &["recipe", small, "--accuracy", "test_accuracy"],
            "no column `test_accuracy`",
        ),
        (
            &["recipe", small, "--reference", unknown],
            "does not hold cell",
        ),
        (
            &["recipe", small, "--budget", "108"],
            "it has 4 and 12 epochs",
        ),
        (
            &["export", small, "--table", "huge", "-f", "csv", "-o", "-"],
            "no table `huge`",
        ),
    ] {
        let (code, line) = folder.fail(words);
        assert_eq!(code, 3, "{words:?}: {line}");
        assert!(line.contains(part), "{words:?}: {line}");
    }
    folder.small(2);
    let (code, line) = folder.fail(&["get", small, unknown]);
    assert_eq!(code, 3);
    assert!(line.contains("`small` and `other`"), "{line}");
}

#[test]
fn command_lines_that_make_no_sense() {
    let folder = Folder::new();
    let small = folder.small(1);
    for words in [
        &["get", small, "abc"][..],
        &["get", small, &hash(FLAT), "--budget", "0"],
        &["get", small, &hash(FLAT), "--repeats", "0"],
        &["recipe", small, "--tolerance", "-1"],
        &["recipe", small, "--tolerance=-1"],
        &["recipe", small, "--pue", "0.5"],
        &["recipe", small, "--intensity", "nan"],
        &["recipe", small, "--accuracy", "energy_kwh"],
        &["recipe", small, small],
        &["front", small, "--json", "--csv"],
        &[
            "import", "-s", "new.redb", "a.csv", "b.csv", "--table", "both",
        ],
        &["import", "-s", "new.redb", "a.csv", "--unit", "energy"],
        &[
            "import",
            "-s",
            "new.redb",
            "a.csv",
            "--provenance",
            "guessed",
        ],
    ] {
        let run = folder.run(words);
        assert_eq!(run.code, 2, "{words:?}: {}", run.err);
        assert!(run.err.starts_with("error: "), "{words:?}: {}", run.err);
    }
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    let folder = Folder::new();
    let small = folder.small(1);
    many(&folder);
    folder.print(&["import", "-s", "many.redb", "many.csv"]);
    let before = folder.json(&["info", "many.redb", "--json"]);
    folder.print(&["seal", "-s", "many.redb", "-o", "many.ecnas"]);
    fs::write(
        folder.path("again.csv"),
        fs::read(folder.path("many.csv")).unwrap(),
    )
    .unwrap();
    let files = folder.files();
    let store_blocks = fs::metadata(folder.path("many.redb")).unwrap().len() / 512;
    for (blocks, words) in [
        (8, &["import", "-s", "new.redb", "many.csv"][..]),
        (
            store_blocks as u32,
            &["import", "-s", "many.redb", "again.csv"],
        ),
        (8, &["seal", "-s", "many.redb", "-o", "new.ecnas"]),
        (8, &["seal", "-s", "many.redb", "-o", small]),
        (8, &["export", "many.ecnas", "-f", "csv", "-o", "new.csv"]),
        (8, &["export", "many.ecnas", "-f", "json", "-o", "new.json"]),
        (
            8,
            &[
                "export",
                "many.ecnas",
                "-f",
                "tfrecord",
                "-o",
                "new.tfrecord",
            ],
        ),
        (
            8,
            &[
                "export",
                "many.ecnas",
                "-f",
                "csv",
                "-o",
                "many.csv",
                "--force",
            ],
        ),
    ] {
        let run = folder.run_limited(blocks, words);
        assert_eq!(run.code, 1, "{words:?}: {}{}", run.out, run.err);
        assert_eq!(run.err.lines().count(), 1, "{words:?}: {}", run.err);
        assert!(run.err.contains("large"), "{words:?}: {}", run.err);
        assert_eq!(folder.files(), files, "{words:?}");
    }
    assert_eq!(folder.json(&["info", "many.redb", "--json"]), before);
    assert_eq!(folder.json(&["verify", small, "--json"])["trials"], 9);
    let lines = fs::read_to_string(folder.path("many.csv"))
        .unwrap()
        .lines()
        .count();
    assert_eq!(lines, 3001);
}

#[cfg(unix)]
#[test]
fn no_permission_to_write() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let small = folder.small(1);
    many(&folder);
    folder.print(&["import", "-s", "many.redb", "many.csv"]);
    fs::create_dir(folder.path("locked")).unwrap();
    fs::set_permissions(folder.path("locked"), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.path("locked/probe"), "").is_ok() {
        eprintln!("skipped: this user can write everywhere");
        return;
    }
    for words in [
        &["import", "-s", "locked/new.redb", "many.csv"][..],
        &["seal", "-s", "many.redb", "-o", "locked/new.ecnas"],
        &["export", small, "-f", "csv", "-o", "locked/new.csv"],
    ] {
        let (code, line) = folder.fail(words);
        assert_eq!(code, 1);
        assert!(line.contains("permission"), "{line}");
    }
}

/// Nobody writes to the pipe: who opened it would wait for ever.
#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let folder = Folder::new();
    many(&folder);
    folder.print(&["import", "-s", "many.redb", "many.csv"]);
    let run = "folder/3V9E/4_epochs/b4/b49ac8c578b4561d79ac7087988f1c61/repeat_1";
    fs::create_dir_all(folder.path(run)).unwrap();
    for path in [folder.path("pipe"), folder.path(run).join("results.json")] {
        let made = Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    }
    for words in [
        &["info", "pipe"][..],
        &["verify", "pipe"],
        &["get", "pipe", "5529e1779433733d1145e20de5d8604e"],
        &["front", "pipe"],
        &["recipe", "folder"],
        &["import", "-s", "new.redb", "folder"],
        &["import", "-s", "new.redb", "pipe"],
        &["import", "-s", "pipe", "pipe"],
        &["seal", "-s", "pipe", "-o", "new.ecnas"],
    ] {
        let (code, line) = folder.fail(words);
        assert_eq!(code, 1);
        assert!(line.contains("regular file"), "{line}");
    }
    for target in ["pipe", "folder"] {
        let (code, line) = folder.fail(&["seal", "-s", "many.redb", "-o", target]);
        assert_eq!(code, 1);
        assert!(line.contains(": expected a snapshot to replace"), "{line}");
    }
    assert!(!folder.path("new.redb").exists());
}

#[test]
fn one_bad_source_leaves_the_good_ones_before_it() {
    let folder = Folder::new();
    many(&folder);
    fs::write(folder.path("bad.csv"), "hash,energy_kwh,budget\nabc,1,4\n").unwrap();
    let run = folder.run(&["import", "-s", "new.redb", "many.csv", "bad.csv", "--json"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("bad.csv: record 1"), "{}", run.err);
    let json: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(json["imported"][0]["added"], 3000);
    assert_eq!(json["imported"].as_array().unwrap().len(), 1);
    let store = folder.json(&["info", "new.redb", "--json"]);
    assert_eq!(
        (&store["kind"], &store["tables"][0]["trials"]),
        (&"store".into(), &3000.into())
    );
}
