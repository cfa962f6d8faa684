//! `results.json` files: any bytes, as the only run of a tree.

use ecnas::import::ImportOptions;

use super::file::{import, in_folder};

const HASH: &str = "b49ac8c578b4561d79ac7087988f1c61";
const GRAPHS: &str =
    r#"{"b49ac8c578b4561d79ac7087988f1c61": [[[0,1,0],[0,0,1],[0,0,0]], [-1,0,-2]]}"#;

/// Imports a tree whose only file has these bytes.
pub fn run(data: &[u8]) {
    let repeat = format!("results/3V9E/4_epochs/{}/{HASH}/repeat_1", &HASH[..2]);
    in_folder(
        |folder| {
            std::fs::create_dir_all(folder.join(&repeat)).expect("a folder");
            std::fs::write(folder.join("graphs.json"), GRAPHS).expect("a file");
        },
        |folder| {
            let file = folder.join(&repeat).join("results.json");
            std::fs::write(file, data).expect("a file");
            let mut options = ImportOptions::default();
            options.graphs = Some(folder.join("graphs.json"));
            match import(&folder.join("results"), &options) {
                Ok(trials) => assert_eq!(trials.len(), 1),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        },
    );
}
