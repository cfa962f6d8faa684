//! Pictures of a view (feature `plot`): energy against accuracy, the front, the knee, and recipes.
//!
//! ```no_run
//! use ecnas::{plot, query::RecipeQuery, snapshot::View};
//! # fn example(view: &View<'_>) -> Result<(), plot::PlotError> {
//! plot::draw(view, &RecipeQuery::default(), "front.svg".as_ref())
//! # }
//! ```

mod paint;
mod scene;
mod ticks;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use plotters::prelude::{BitMapBackend, IntoDrawingArea, SVGBackend};
use plotters::style::{FontStyle, register_font};

use crate::files;
use crate::query::{QueryError, RecipeError, RecipeQuery};
use crate::snapshot::{SnapshotError, View};
use scene::Scene;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The view cannot be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The view lacks energy or accuracy.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// There is nothing to compare with.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The view has no cell with energy and accuracy.
    #[error("expected a cell with energy and accuracy to draw, found none")]
    NothingToDraw,
    /// The reference is a point, or has no energy above zero.
    #[error("expected a reference cell with energy and accuracy, found none; choose another one")]
    NoReference,
    /// The file's name ends otherwise.
    #[error("{}: expected a name that ends with .svg or .png", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// The picture cannot be written.
    #[error("{}: the picture cannot be written: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Width and height of a picture, in pixels.
pub const SIZE: (u32, u32) = (1200, 800);

/// Draws a view: energy in kWh on a logarithmic axis, accuracy in percent, all cells (many as density), the front, its knee, the
/// reference of the query, and its recipes. A name that ends with `.svg` or `.png` says which format. An SVG leaves letters
/// to the viewer's fonts. The file appears [whole](crate::files::whole).
///
/// # Errors
/// The view lacks energy or accuracy, has no such reference, or the file cannot be written.
///
/// # Complexity
/// O(n log n): some 0.1 s for the whole search space.
pub fn draw(view: &View<'_>, query: &RecipeQuery, path: &Path) -> Result<(), PlotError> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    let is_png = match extension.to_str() {
        Some("png") => true,
        Some("svg") => false,
        _ => {
            return Err(PlotError::Format {
                path: path.to_owned(),
            });
        }
    };
    let scene = Scene::new(view, query)?;
    with_font();
    let failed = |reason: String| PlotError::Write {
        path: path.to_owned(),
        reason,
    };
    let picture = if is_png { png(&scene) } else { svg(&scene) };
    let picture = picture.map_err(failed)?;
    files::whole(path, |mut file| file.write_all(&picture))
        .map_err(|error| failed(error.to_string()))
}

fn svg(scene: &Scene) -> Result<Vec<u8>, String> {
    let mut text = String::new();
    paint::paint(
        &SVGBackend::with_string(&mut text, SIZE).into_drawing_area(),
        scene,
    )?;
    Ok(text.into_bytes())
}

fn png(scene: &Scene) -> Result<Vec<u8>, String> {
    let (width, height) = SIZE;
    // Red, green and blue of each pixel.
    let mut pixels = vec![0; 3 * width as usize * height as usize];
    paint::paint(
        &BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area(),
        scene,
    )?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let encoded = encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&pixels));
    encoded.map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The library draws letters with a font of its own, the same on every machine.
fn with_font() {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        // The font is in the program: it cannot fail to be one.
        let _ = register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular());
        let _ = register_font("sans-serif", FontStyle::Bold, dejavu::sans::bold());
    });
}
