//! Where files may be written, and how they come to be there.

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::{PermissionsExt, symlink};
#[cfg(unix)]
use std::process::Command;

use crate::program::{DEEP, FLAT, Folder, hash};

/// A folder with `own.csv`, `own.redb` and `small.ecnas`.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.small(1);
    let text = format!(
        "hash,energy_kwh,validation_accuracy,budget\n{},2,0.9,4\n{},1,0.895,4\n",
        hash(DEEP),
        hash(FLAT)
    );
    fs::write(folder.path("own.csv"), text).unwrap();
    folder.print(&["import", "-s", "own.redb", "own.csv"]);
    folder
}

/// Refused with exit code 1 and this in the message; nothing in the folder changes.
fn refused(folder: &Folder, words: &[&str], part: &str) {
    let contents = || -> Vec<_> {
        let names = folder.files().into_iter();
        names
            .map(|name| (fs::read(folder.path(&name)).ok(), name))
            .collect()
    };
    let before = contents();
    let (code, line) = folder.fail(words);
    assert_eq!(code, 1, "{words:?}: {line}");
    assert!(
        line.contains(part) && line.contains("; choose another name"),
        "{words:?}: {line}"
    );
    assert!(contents() == before, "{words:?} changed a file");
}

#[test]
fn an_output_that_is_an_input_is_refused_by_every_command() {
    let folder = folder();
    fs::copy(folder.path("own.csv"), folder.path("own.svg")).unwrap();
    fs::hard_link(folder.path("own.csv"), folder.path("hard")).unwrap();
    fs::hard_link(folder.path("small.ecnas"), folder.path("hard.ecnas")).unwrap();
    let mut cases: Vec<Vec<&str>> = vec![
        vec!["build", "--overlay", "own.csv", "-o", "own.csv"],
        vec!["build", "--accuracy", "own.csv", "-o", "./own.csv"],
        vec!["build", "--overlay", "own.csv", "-o", "hard"],
        vec!["build", "--overlay", "small.ecnas", "-o", "hard.ecnas"],
        vec!["seal", "-s", "own.redb", "-o", "own.redb"],
        vec!["export", "small.ecnas", "-f", "csv", "-o", "small.ecnas"],
        vec!["export", "small.ecnas", "-f", "csv", "-o", "hard.ecnas"],
        vec!["plot", "own.svg", "-o", "new.svg", "-o", "own.svg"],
        vec!["recipe", "own.svg", "--plot", "own.svg"],
    ];
    #[cfg(feature = "fit")]
    {
        let mut words = vec!["fit", "--energy", "own.csv", "--gpu", "own.csv"];
        words.extend(["--accuracy", "own.csv", "-o", "own.csv"]);
        cases.push(words);
    }
    #[cfg(unix)]
    {
        symlink("own.csv", folder.path("soft")).unwrap();
        symlink("own.svg", folder.path("soft.svg")).unwrap();
        cases.push(vec!["build", "--overlay", "own.csv", "-o", "soft"]);
        cases.push(vec!["build", "--overlay", "soft", "-o", "own.csv"]);
        cases.push(vec!["plot", "own.svg", "-o", "soft.svg"]);
    }
    for words in &cases {
        refused(&folder, words, "it is an input too");
        let forced = [words.as_slice(), &["--force"]].concat();
        refused(&folder, &forced, "it is an input too");
    }
    // A file in a folder of inputs is one of them.
    fs::create_dir(folder.path("tree")).unwrap();
    fs::write(folder.path("tree/results.json"), "{}").unwrap();
    let words = [
        "build",
        "--overlay",
        "tree",
        "-o",
        "tree/results.json",
        "--force",
    ];
    refused(&folder, &words, "it is an input too");
    assert_eq!(fs::read(folder.path("tree/results.json")).unwrap(), b"{}");
}

#[test]
fn a_source_is_no_store_to_import_into_and_a_store_no_source() {
    let folder = folder();
    let before = ["own.csv", "own.redb"].map(|name| fs::read(folder.path(name)).unwrap());
    assert_eq!(folder.fail(&["import", "-s", "own.csv", "own.csv"]).0, 1);
    assert_eq!(folder.fail(&["import", "-s", "own.redb", "own.redb"]).0, 1);
    assert_eq!(fs::read(folder.path("own.csv")).unwrap(), before[0]);
    let tables = &folder.json(&["verify", "own.redb", "--json"])["tables"];
    assert_eq!(tables, 1);
}

#[test]
fn a_store_is_never_replaced() {
    let folder = folder();
    fs::copy(folder.path("own.redb"), folder.path("other.redb")).unwrap();
    fs::copy(folder.path("own.redb"), folder.path("other.svg")).unwrap();
    for words in [
        &["build", "--overlay", "own.csv", "-o", "own.redb"][..],
        &["build", "-o", "own.redb"],
        &["seal", "-s", "own.redb", "-o", "other.redb"],
        &["export", "small.ecnas", "-f", "json", "-o", "own.redb"],
        &["plot", "small.ecnas", "-o", "other.svg"],
        &["recipe", "small.ecnas", "--plot", "other.svg"],
    ] {
        refused(&folder, words, "found a store");
        let forced = [words, &["--force"]].concat();
        refused(&folder, &forced, "found a store");
    }
}

#[test]
fn a_file_of_another_kind_is_replaced_with_force_alone() {
    let folder = folder();
    fs::copy(folder.path("own.csv"), folder.path("own.svg")).unwrap();
    fs::write(folder.path("notes.json"), "{\"mine\": 1}").unwrap();
    for words in [
        &["seal", "-s", "own.redb", "-o", "own.csv"][..],
        &["export", "small.ecnas", "-f", "csv", "-o", "own.csv"],
        &["export", "small.ecnas", "-f", "json", "-o", "notes.json"],
        &[
            "export",
            "small.ecnas",
            "-f",
            "tfrecord",
            "-o",
            "notes.json",
        ],
        &["plot", "small.ecnas", "-o", "own.svg"],
        &["recipe", "small.ecnas", "--plot", "own.svg"],
    ] {
        refused(&folder, words, "or replace it with --force");
        folder.print(&[words, &["--force"]].concat());
        // From now on it is of its own kind.
        folder.print(words);
        for (name, text) in [("own.csv", "own"), ("own.svg", "own"), ("notes.json", "{}")] {
            fs::write(folder.path(name), text).unwrap();
        }
    }
    refused(
        &folder,
        &["build", "-o", "own.csv"],
        "or replace it with --force",
    );
    fs::create_dir(folder.path("folder.svg")).unwrap();
    for words in [
        &["seal", "-s", "own.redb", "-o", "folder.svg", "--force"][..],
        &["build", "-o", "folder.svg", "--force"],
        &[
            "export",
            "small.ecnas",
            "-f",
            "csv",
            "-o",
            "folder.svg",
            "--force",
        ],
        &["plot", "small.ecnas", "-o", "folder.svg", "--force"],
    ] {
        refused(&folder, words, "found a folder");
    }
}

#[test]
fn an_output_replaces_a_file_of_its_own_kind_and_an_empty_one() {
    let folder = folder();
    for (words, name) in [
        (&["seal", "-s", "own.redb", "-o"][..], "new.ecnas"),
        (&["export", "small.ecnas", "-f", "csv", "-o"], "new.csv"),
        (&["export", "small.ecnas", "-f", "json", "-o"], "new.json"),
        (
            &["export", "small.ecnas", "-f", "tfrecord", "-o"],
            "new.tfrecord",
        ),
        (&["plot", "small.ecnas", "-o"], "new.svg"),
        (&["plot", "small.ecnas", "-o"], "new.png"),
    ] {
        let words = [words, &[name]].concat();
        fs::write(folder.path(name), "").unwrap();
        folder.print(&words);
        let first = fs::read(folder.path(name)).unwrap();
        assert!(!first.is_empty());
        folder.print(&words);
        assert!(fs::read(folder.path(name)).unwrap() == first, "{name}");
    }
    // A picture of one format takes the place of one of the other.
    fs::copy(folder.path("new.png"), folder.path("new.svg")).unwrap();
    folder.print(&["plot", "small.ecnas", "-o", "new.svg"]);
}

#[cfg(unix)]
#[test]
fn a_replaced_file_keeps_its_mode() {
    let folder = folder();
    let mode = |name: &str| {
        let found = fs::metadata(folder.path(name)).unwrap();
        found.permissions().mode() & 0o7777
    };
    for (words, name) in [
        (&["seal", "-s", "own.redb", "-o"][..], "new.ecnas"),
        (&["export", "small.ecnas", "-f", "csv", "-o"], "new.csv"),
        (&["plot", "small.ecnas", "-o"], "new.svg"),
        (&["recipe", "small.ecnas", "--plot"], "new.png"),
    ] {
        let words = [words, &[name]].concat();
        folder.print(&words);
        let usual = mode(name);
        assert_ne!(usual, 0o600, "a new file is an ordinary one");
        for own in [0o600, 0o664] {
            fs::set_permissions(folder.path(name), fs::Permissions::from_mode(own)).unwrap();
            folder.print(&words);
            assert_eq!(mode(name), own, "{name}");
        }
    }
}

/// The link stays; what it leads to is replaced, or made where there was nothing.
#[cfg(unix)]
#[test]
fn an_output_at_a_link_goes_where_the_link_leads() {
    let folder = folder();
    fs::create_dir(folder.path("deep")).unwrap();
    for (words, name) in [
        (&["seal", "-s", "own.redb", "-o"][..], "new.ecnas"),
        (&["export", "small.ecnas", "-f", "csv", "-o"], "new.csv"),
        (&["plot", "small.ecnas", "-o"], "new.svg"),
    ] {
        let (near, far) = (format!("near-{name}"), format!("deep/far-{name}"));
        symlink(&near, folder.path(name)).unwrap();
        symlink(&far, folder.path(&near)).unwrap();
        let words = [words, &[name]].concat();
        for _ in 0..2 {
            folder.print(&words);
            for link in [name, &near] {
                let found = fs::symlink_metadata(folder.path(link)).unwrap();
                assert!(found.is_symlink(), "{link}");
            }
            let found = fs::symlink_metadata(folder.path(&far)).unwrap();
            assert!(found.is_file() && found.len() > 0, "{far}");
        }
    }
    symlink("round.csv", folder.path("round.csv")).unwrap();
    let words = ["export", "small.ecnas", "-f", "csv", "-o", "round.csv"];
    let (code, line) = folder.fail(&words);
    assert!(code == 1 && line.contains("links"), "{line}");
    let left = folder.files();
    assert!(left.iter().all(|name| !name.ends_with(".tmp")), "{left:?}");
}

#[cfg(unix)]
#[test]
fn a_picture_stays_as_it_was_when_the_disk_is_full() {
    let folder = folder();
    folder.print(&["plot", "small.ecnas", "-o", "own.svg", "-o", "own.png"]);
    let files = folder.files();
    for name in ["own.svg", "own.png"] {
        let before = fs::read(folder.path(name)).unwrap();
        for words in [
            ["plot", "small.ecnas", "-o", name],
            ["recipe", "small.ecnas", "--plot", name],
        ] {
            // Half of it, in blocks of 512 bytes.
            let run = folder.run_limited(before.len() as u32 / 1024, &words);
            assert_eq!(run.code, 1, "{words:?}: {}{}", run.out, run.err);
            assert!(run.err.contains("cannot be written"), "{}", run.err);
            assert!(fs::read(folder.path(name)).unwrap() == before, "{words:?}");
            assert_eq!(folder.files(), files);
        }
    }
}

#[cfg(unix)]
#[test]
fn exports_go_into_pipes_and_devices() {
    let folder = folder();
    let words = ["export", "small.ecnas", "-f", "csv", "-o"];
    let expected = folder.print(&[&words[..], &["-"]].concat());
    assert_eq!(
        folder.print(&[&words[..], &["/dev/stdout"]].concat()),
        expected
    );
    assert_eq!(folder.print(&[&words[..], &["/dev/null"]].concat()), "");
    let made = Command::new("mkfifo").arg(folder.path("pipe")).status();
    assert!(made.unwrap().success());
    let path = folder.path("pipe");
    let reader = std::thread::spawn(move || fs::read_to_string(path).unwrap());
    folder.print(&[&words[..], &["pipe"]].concat());
    assert_eq!(reader.join().unwrap(), expected);
    // What is no stream does not go there.
    for words in [
        &["seal", "-s", "own.redb", "-o", "pipe", "--force"][..],
        &["build", "-o", "pipe", "--force"],
    ] {
        refused_pipe(&folder, words);
    }
}

#[cfg(unix)]
fn refused_pipe(folder: &Folder, words: &[&str]) {
    let (code, line) = folder.fail(words);
    assert_eq!(code, 1, "{words:?}: {line}");
    assert!(line.contains("found a pipe or a device"), "{line}");
}

/// Of a folder, what is read are results and graphs, wherever links lead to them.
#[cfg(unix)]
#[test]
fn what_is_read_of_a_folder_is_an_input_and_nothing_else_in_it_is() {
    let folder = Folder::new();
    let run = |repeat: u32| {
        format!(
            "5V9E/4_epochs/{0}/{1}/repeat_{repeat}",
            &hash(FLAT)[..2],
            hash(FLAT)
        )
    };
    let results = r#"{"energy_kwh": 0.1}"#;
    fs::create_dir_all(folder.path(&format!("elsewhere/{}", run(1)))).unwrap();
    fs::write(
        folder.path(&format!("elsewhere/{}/results.json", run(1))),
        results,
    )
    .unwrap();
    fs::create_dir(folder.path("tree")).unwrap();
    symlink("../elsewhere/5V9E", folder.path("tree/5V9E")).unwrap();
    let read = format!("elsewhere/{}/results.json", run(1));
    for force in [&[][..], &["--force"]] {
        let words = [&["build", "--overlay", "tree", "-o", read.as_str()], force].concat();
        let (code, line) = folder.fail(&words);
        assert!(code == 1 && line.contains("it is an input too"), "{line}");
    }
    assert_eq!(fs::read_to_string(folder.path(&read)).unwrap(), results);
    // A picture that lies among the inputs is none.
    fs::write(folder.path("tree/old.svg"), "<svg/>").unwrap();
    let (_, line) = folder.fail(&["plot", "tree", "-o", "tree/old.svg"]);
    assert!(!line.contains("it is an input too"), "{line}");
}

#[test]
fn standard_output_takes_no_snapshot() {
    let folder = folder();
    let (code, line) = folder.fail(&["seal", "-s", "own.redb", "-o", "-"]);
    assert!(code == 1 && line.contains("exports alone"), "{line}");
    assert!(!folder.path("-").exists());
}
